/**
 * The layer picture of ARCHITECTURE.md as a test: arrows point down, folders meet at mod.ts.
 */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** Folders of lib/, lowest first. A folder may import those before it in the list of `below`. */
const FOUNDATION = ["support", "random", "stats"];
const PHYSICS = ["hardware", "timing", "workload", "simulator"];
const AGENT = ["routing", "state", "reward", "policy", "ppo"];
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  support: [],
  random: [],
  stats: ["random"],
  kernels: ["support"],
  hardware: ["support"],
  timing: [...FOUNDATION, "hardware"],
  workload: [...FOUNDATION],
  simulator: [...FOUNDATION, "hardware", "timing", "workload"],
  metrics: [...FOUNDATION, ...PHYSICS],
  routing: [...FOUNDATION, ...PHYSICS, "metrics"],
  state: [...FOUNDATION, ...PHYSICS, "metrics"],
  reward: [...FOUNDATION, ...PHYSICS, "metrics"],
  policy: [...FOUNDATION, "kernels"],
  ppo: [...FOUNDATION, "kernels", "policy"],
  scenarios: [...FOUNDATION, ...PHYSICS],
  config: [...FOUNDATION, ...PHYSICS, "metrics", ...AGENT],
  training: [...FOUNDATION, ...PHYSICS, ...AGENT, "kernels", "metrics", "config"],
  pretraining: [...FOUNDATION, ...PHYSICS, ...AGENT, "kernels", "metrics", "config", "training"],
  plot: [...FOUNDATION, ...PHYSICS, "metrics"],
  fidelity: [...FOUNDATION, ...PHYSICS, "plot"],
  sweep: [...FOUNDATION, ...PHYSICS, ...AGENT, "kernels", "metrics", "config", "training", "plot"],
  study: [
    ...FOUNDATION,
    ...PHYSICS,
    ...AGENT,
    "kernels",
    "metrics",
    "config",
    "training",
    "scenarios",
    "sweep",
  ],
  capacity: [...FOUNDATION, ...PHYSICS, "metrics", "routing", "plot", "scenarios", "sweep"],
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** All TypeScript files below a folder. */
function* sources(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* sources(path);
    else if (entry.name.endsWith(".ts")) yield path;
  }
}

/** Relative module specifiers that a file imports or re-exports from. */
function relativeImports(path: string): string[] {
  const text = Deno.readTextFileSync(path).replaceAll(/\/\*[\s\S]*?\*\//g, "");
  return [...text.matchAll(/\bfrom\s+"(\.{1,2}\/[^"]+)"/g)].map((match) => match[1]!);
}

Deno.test("lib/ imports point down only and enter a neighbour through its mod.ts", () => {
  const violations: string[] = [];
  for (const path of sources(join(root, "lib"))) {
    const [area = "", ...rest] = relative(join(root, "lib"), path).split("/");
    if (area === "cli") continue;
    const allowed = MAY_IMPORT[area];
    assert.ok(allowed !== undefined, `lib/${area} has no place in the layer picture`);
    for (const specifier of relativeImports(path)) {
      const target = relative(join(root, "lib"), join(dirname(path), specifier));
      if (target.startsWith("..")) continue;
      const [targetArea = "", ...targetRest] = target.split("/");
      if (targetArea === area) continue;
      const from = `lib/${area}/${rest.join("/")}`;
      if (!allowed.includes(targetArea)) violations.push(`${from} imports lib/${targetArea}`);
      else if (targetRest.join("/") !== "mod.ts") {
        violations.push(`${from} bypasses lib/${targetArea}/mod.ts`);
      }
    }
  }
  assert.deepEqual(violations, []);
});

Deno.test("library code uses neither Math.random nor the wall clock", () => {
  const offenders: string[] = [];
  for (const path of sources(join(root, "lib"))) {
    const name = relative(root, path);
    if (name.startsWith("lib/cli/") || name.startsWith("lib/sweep/")) continue;
    const text = Deno.readTextFileSync(path).replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, "");
    if (/\bMath\.random\b|\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/.test(text)) {
      offenders.push(name);
    }
  }
  assert.deepEqual(offenders, []);
});
