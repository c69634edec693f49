// deno-lint-ignore-file no-console
/**
 * What a shipped profile costs: loading it, timing one batch, and a whole simulation with it, beside
 * the analytic timer.
 *
 *     deno run -A bench/timers.ts
 *
 * Every figure is the median of rounds in which both timers take turns.
 */
import { getGpu, getModel } from "../lib/hardware/mod.ts";
import { Rng } from "../lib/random/mod.ts";
import { buildCluster, clusterSchema, Simulator } from "../lib/simulator/mod.ts";
import { quantile } from "../lib/stats/mod.ts";
import { type BatchShape, createTimer } from "../lib/timing/mod.ts";
import { openWorkload, workloadSchema } from "../lib/workload/mod.ts";

const CASES = [
  ["a100", "meta-llama/Llama-2-7b-hf", 1],
  ["a100", "meta-llama/Llama-2-70b-hf", 2],
  ["rtxpro6000", "meta-llama/Llama-3.1-8B", 1],
] as const;
const ROUNDS = 9;
const BATCHES = 100_000;

/** Sixteen batches of a prompt chunk and decodes, so that no branch is learnt by heart. */
const shapes = Array.from({ length: 16 }, (_, i): BatchShape => ({
  requestCount: 20 + i,
  totalTokens: 19 + i + 32 * (i + 1),
  decodeCount: 19 + i,
  decodeContextTokens: (19 + i) * (500 + 50 * i),
  maxDecodeContextTokens: 2000,
  prefillCount: 1,
  prefillContextTokens: [64 * i],
  prefillChunkTokens: [32 * (i + 1)],
}));

function milliseconds(body: () => void): number {
  const start = performance.now();
  body();
  return performance.now() - start;
}

const median = (values: readonly number[]): number => quantile(values, 0.5);

for (const [gpuName, modelName, tensorParallel] of CASES) {
  const options = {
    gpu: getGpu(gpuName),
    model: getModel(modelName),
    tensorParallel,
    pipelineStages: 1,
  };
  const first = milliseconds(() =>
    void createTimer({ kind: "profile" }, options).modelSeconds(shapes[0]!, 0)
  );
  const loads: number[] = [];
  const times: Record<"profile" | "analytic", number[]> = { profile: [], analytic: [] };
  const runs: Record<"profile" | "analytic", number[]> = { profile: [], analytic: [] };
  const source = await openWorkload(workloadSchema.parse({ kind: "fitted", ratePerSecond: 8 }));
  const workload = source.sample(new Rng(101), { count: 3000 }, "test");
  for (let round = 0; round < ROUNDS; round++) {
    loads.push(
      milliseconds(() =>
        void createTimer({ kind: "profile" }, options).modelSeconds(shapes[0]!, 0)
      ),
    );
    for (const kind of ["profile", "analytic"] as const) {
      const timer = createTimer({ kind }, options);
      let sum = 0;
      times[kind].push(
        milliseconds(() => {
          for (let i = 0; i < BATCHES; i++) sum += timer.modelSeconds(shapes[i & 15]!, 0);
        }) * 1e6 / BATCHES,
      );
      if (!(sum > 0)) throw new Error("Cannot time batches: a timer returned no time");
      const replicas = buildCluster(clusterSchema.parse({
        model: modelName,
        timer: { kind },
        replicas: [{ gpu: gpuName, tensorParallel, count: 4 }],
      }));
      let batches = 0;
      const elapsed = milliseconds(() => {
        let next = 0;
        batches = new Simulator(workload, replicas).run(() => next++ % 4).batchCount;
      });
      // A timer that is faster or slower makes more or fewer batches of the same requests.
      runs[kind].push(elapsed * 1e6 / batches);
    }
  }
  const ratio = median(runs.profile) / median(runs.analytic);
  console.log(
    `${gpuName} ${modelName} tp ${tensorParallel}: load and time one batch ${
      first.toFixed(1)
    } ms ` +
      `first, ${median(loads).toFixed(1)} ms again; a batch ${
        median(times.profile).toFixed(0)
      } ns ` +
      `(analytic ${median(times.analytic).toFixed(0)} ns); a simulation of ` +
      `3,000 requests ${median(runs.profile).toFixed(0)} ns a batch, ${ratio.toFixed(2)} x the ` +
      "analytic timer's",
  );
}
