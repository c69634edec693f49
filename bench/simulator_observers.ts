// deno-lint-ignore-file no-console
/**
 * What watching a simulation costs: the recorded run `7b-tp1-pp1-sarathi`, repeated, with and
 * without each observer, in turn.
 *
 * Run with `deno run -A bench/simulator_observers.ts`. Each time is the best of several.
 */
import { join } from "node:path";
import {
  BatchDistributions,
  BatchesFile,
  BatchesTable,
  TokenGapMeter,
  UtilizationMeter,
} from "../lib/metrics/mod.ts";
import { createLorQueueOnly } from "../lib/routing/mod.ts";
import { type SimulationObserver, Simulator } from "../lib/simulator/mod.ts";
import { type GoldenScenario, hasGolden, loadGolden } from "./_golden_workload.ts";

const REQUESTS = 20_000;
const ROUNDS = 7;

/** Seconds of one run. */
function time(scenario: GoldenScenario, observers: readonly SimulationObserver[]): number {
  const router = createLorQueueOnly();
  const start = performance.now();
  new Simulator(scenario.workload, scenario.replicas, { observers })
    .run((decision) => router.route(decision));
  return (performance.now() - start) / 1000;
}

if (!hasGolden) {
  console.error("The recorded run is not there: expected ../shared/golden/vidur.");
  Deno.exit(1);
}
const scenario = (await loadGolden())(REQUESTS);
const { replicas } = scenario;
const folder = await Deno.makeTempDir();
try {
  const files: BatchesFile[] = [];
  const kinds: Record<string, () => SimulationObserver[]> = {
    "no observer": () => [],
    "UtilizationMeter": () => [new UtilizationMeter(replicas)],
    "BatchDistributions": () => [new BatchDistributions(replicas)],
    "TokenGapMeter": () => [new TokenGapMeter(REQUESTS)],
    "BatchesTable": () => [new BatchesTable()],
    "BatchesFile": () => {
      const file = new BatchesFile(join(folder, `${files.length}.parquet`));
      files.push(file);
      return [file];
    },
  };
  const best = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, create] of Object.entries(kinds)) {
      best.set(name, Math.min(best.get(name) ?? Infinity, time(scenario, create())));
    }
  }
  for (const file of files) file[Symbol.dispose]();
  for (const [name, seconds] of best) {
    const ratio = seconds / best.get("no observer")!;
    console.log(
      name.padEnd(20),
      `${Math.round(REQUESTS / seconds)} requests/s`.padStart(20),
      ratio.toFixed(2).padStart(8),
    );
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
