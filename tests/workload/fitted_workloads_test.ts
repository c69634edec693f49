import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Rng } from "../../lib/random/mod.ts";
import { UsageError } from "../../lib/support/mod.ts";
import {
  countDispersion,
  fittedWorkloadNames,
  fittedWorkloadSchema,
  generateWorkload,
  getFittedWorkload,
  prefixHitRate,
  readTrace,
  summarizeWorkload,
  type Workload,
} from "../../lib/workload/mod.ts";
import { findRecipe, spreadTicks } from "../../data/tools/_workload_recipes.ts";
import { workloadStatistics } from "../../data/tools/_workload_statistics.ts";

const traces = fileURLToPath(new URL("../../../shared/traces/", import.meta.url));
const missing = !existsSync(traces);
const TRACE_FILES = {
  "azure_conversation_2023": "azure2023_conv.csv",
  "azure_code_2023": "azure2023_code.csv",
  "mooncake_conversation": "mooncake_conversation.jsonl",
} as const;

type Name = typeof fittedWorkloadNames[number];

function draw(name: Name, seed: number, count: number): Workload {
  const config = fittedWorkloadSchema.parse({ kind: "fitted", name });
  return generateWorkload(config, new Rng(seed), { count });
}

function average(workloads: readonly Workload[], figure: (workload: Workload) => number): number {
  return workloads.reduce((sum, workload) => sum + figure(workload), 0) / workloads.length;
}

function assertWithin(actual: number, expected: number, relative: number, what: string): void {
  assert.ok(Math.abs(actual / expected - 1) <= relative, `${what}: ${actual}, ${expected}`);
}

for (const name of fittedWorkloadNames) {
  Deno.test(`${name} states its source, licence and command and is small`, async () => {
    const fitted = getFittedWorkload(name);
    assert.equal(fitted.name, name);
    assert.match(fitted.source, /https:\/\/github\.com\//);
    assert.match(fitted.licence, /^(CC-BY-4\.0|Apache-2\.0)/);
    assert.match(fitted.method, new RegExp(`^deno run -A data/tools/fit_workload.ts ${name} `));
    assert.deepEqual(Object.keys(fitted.trace), Object.keys(fitted.simulated));
    const file = new URL(`../../data/workloads/${name}.json`, import.meta.url);
    assert.ok((await Deno.stat(file)).size < 40_000);
  });

  Deno.test(`${name} gives equal requests for equal seeds, and others for others`, () => {
    assert.deepEqual(draw(name, 3, 300), draw(name, 3, 300));
    assert.notDeepEqual(draw(name, 3, 300), draw(name, 4, 300));
  });

  Deno.test({
    name: `${name} states the figures of its trace${missing ? " (../shared is absent)" : ""}`,
    ignore: missing,
    async fn() {
      const recipe = findRecipe(name);
      const trace = spreadTicks(await readTrace(traces + TRACE_FILES[name]), recipe.tickSeconds);
      assert.deepEqual(workloadStatistics([trace], recipe), getFittedWorkload(name).trace);
      // The fit's own figures are means of 20 draws; one must be near them.
      const { promptTokensMean, outputTokensMean } = getFittedWorkload(name).simulated;
      const drawn = summarizeWorkload(draw(name, 0, trace.count));
      assertWithin(drawn.promptTokens.mean, promptTokensMean!, 0.05, "prompt mean");
      assertWithin(drawn.outputTokens.mean, outputTokensMean!, 0.05, "output mean");
    },
  });
}

Deno.test("azure_code_2023 is as bursty as its trace", () => {
  const drawn = [1, 2, 3, 4, 5, 6].map((seed) => draw("azure_code_2023", seed, 8819));
  // spec/practice.md section 6: CV 13.2, input 2048 / 1469 / 7315, output 28 / 13 / 90. The rest is
  // the trace's. The largest hundredth of the gaps makes most of the time, so that a draw of an hour
  // varies much: standard errors of six are about 7 % of the variation and 12 % of the dispersion.
  const summary = (pick: (summary: ReturnType<typeof summarizeWorkload>) => number): number =>
    average(drawn, (workload) => pick(summarizeWorkload(workload)));
  assertWithin(summary((s) => s.interArrivalCv), 13.15, 0.2, "inter-arrival cv");
  assertWithin(summary((s) => s.promptTokens.mean), 2048, 0.02, "prompt mean");
  assertWithin(summary((s) => s.promptTokens.p50), 1469, 0.03, "prompt p50");
  assertWithin(summary((s) => s.outputTokens.mean), 28, 0.05, "output mean");
  assertWithin(summary((s) => s.outputTokens.p50), 13, 0.01, "output p50");
  for (const [window, dispersion, idle] of [[1, 13.2, 0.734], [10, 71.9, 0.563]] as const) {
    const counted = (pick: (counts: ReturnType<typeof countDispersion>) => number): number =>
      average(drawn, (workload) => pick(countDispersion(workload.arrivalSeconds, window)));
    assertWithin(counted((c) => c.dispersion), dispersion, 0.35, `dispersion at ${window} s`);
    assertWithin(counted((c) => c.idleShare), idle, 0.1, `idle share at ${window} s`);
  }
});

Deno.test("mooncake_conversation shares prefixes as its trace", () => {
  const drawn = [1, 2].map((seed) => draw("mooncake_conversation", seed, 12_031));
  for (const { count, promptTokens, prefixHashes } of drawn) {
    assert.equal(prefixHashes!.blockTokens, 512);
    for (let i = 0; i < count; i++) {
      const blocks = prefixHashes!.starts[i + 1]! - prefixHashes!.starts[i]!;
      assert.equal(blocks, Math.ceil(promptTokens[i]! / 512));
    }
  }
  const hitRate = (blocks?: number): number =>
    average(drawn, ({ prefixHashes }) => prefixHitRate(prefixHashes!, blocks));
  // The trace's: 36.6 % without a limit (spec/practice.md section 6), 21.2 % in 10,000 blocks, 4.5 %
  // in 1000. The fit's prompts are 4 % longer than the trace's.
  assertWithin(hitRate(), 0.366, 0.12, "hit rate");
  assertWithin(hitRate(10_000), 0.212, 0.12, "hit rate of 10,000 blocks");
  assertWithin(hitRate(1000), 0.0445, 0.12, "hit rate of 1000 blocks");
  const promptMean = average(drawn, (workload) => summarizeWorkload(workload).promptTokens.mean);
  assertWithin(promptMean, 12_035, 0.09, "prompt mean");
});

Deno.test("generateWorkload() scales the times between turns with the rate", () => {
  const config = fittedWorkloadSchema.parse({ kind: "fitted", name: "mooncake_conversation" });
  const own = generateWorkload(config, new Rng(2), { count: 2000 });
  const rate = 2 * getFittedWorkload("mooncake_conversation").arrivals.ratePerSecond;
  const faster = generateWorkload({ ...config, ratePerSecond: rate }, new Rng(2), { count: 2000 });
  assert.deepEqual(faster.prefixHashes, own.prefixHashes);
  assert.deepEqual(faster.promptTokens, own.promptTokens);
  own.arrivalSeconds.forEach((seconds, i) => assert.equal(faster.arrivalSeconds[i], seconds / 2));
});

Deno.test("generateWorkload() honours a token limit for conversations", () => {
  const config = fittedWorkloadSchema.parse({
    kind: "fitted",
    name: "mooncake_conversation",
    maxTokens: 8000,
    overLength: "drop",
  });
  const { promptTokens, outputTokens } = generateWorkload(config, new Rng(1), { count: 2000 });
  assert.ok(promptTokens.every((prompt, i) => prompt + outputTokens[i]! <= 8000));
  assert.throws(
    () => generateWorkload({ ...config, overLength: "refuse" }, new Rng(1), { count: 200 }),
    { name: "RangeError", message: /prompt \+ output tokens must be <= 8000/ },
  );
  const clipped = generateWorkload({ ...config, overLength: "clip_prompt" }, new Rng(1), {
    count: 500,
  });
  assert.equal(clipped.prefixHashes!.starts.length, 501);
});

Deno.test("spreadTicks() sets equal times apart until the next tick", () => {
  const workload: Workload = {
    name: "ticks",
    count: 4,
    arrivalSeconds: Float64Array.of(0, 0, 3, 9),
    promptTokens: Int32Array.of(1, 1, 1, 1),
    outputTokens: Int32Array.of(1, 1, 1, 1),
  };
  assert.deepEqual([...spreadTicks(workload, 3).arrivalSeconds], [0, 1.5, 3, 9]);
  assert.equal(spreadTicks(workload, 0), workload);
});

Deno.test("findRecipe() lists the names there are", () => {
  assert.throws(() => findRecipe("azure"), (error: unknown) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /azure_conversation_2023, azure_code_2023, mooncake_conversation/);
    return true;
  });
});
