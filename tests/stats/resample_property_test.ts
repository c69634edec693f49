import { Rng } from "@signalbox/signalbox/random";
import {
  type BootstrapStatistic,
  pairedBlockBootstrap,
  type PairedSample,
  quantile,
} from "@signalbox/signalbox/stats";
import fc from "fast-check";
import assert from "node:assert/strict";

const RESAMPLES = 100;

/** What a confidence of 0.95 leaves at each end. */
const TAIL = (1 - 0.95) / 2;

/** Seeds with replacement; nothing is drawn of one. */
function drawSeeds(seeds: Iterable<number>, rng: Rng): number[] {
  const sorted = [...new Set(seeds)].sort((a, b) => a - b);
  return sorted.map(() => sorted[sorted.length === 1 ? 0 : rng.below(sorted.length)]!);
}

/** The values of a resample written out, as the definition says it, copy by copy. */
function writeOut(
  samples: readonly PairedSample[],
  blockLength: number | undefined,
  rng: Rng,
): { baseline: number[]; candidate: number[] } {
  const lengths = new Map(samples.map((sample) => [sample.evaluationSeed, sample.baseline.length]));
  const out = { baseline: [] as number[], candidate: [] as number[] };
  while (out.baseline.length === 0) {
    const trainingSeeds = drawSeeds(samples.map(({ trainingSeed }) => trainingSeed), rng);
    const evaluationSeeds = [...new Set(lengths.keys())].sort((a, b) => a - b);
    for (let k = 0; k < evaluationSeeds.length; k++) {
      const seed = evaluationSeeds[evaluationSeeds.length === 1 ? 0 : rng.below(lengths.size)]!;
      const length = lengths.get(seed)!;
      const requests: number[] = [];
      while (requests.length < length) {
        const start = rng.below(length);
        const block = Math.min(
          blockLength ?? Math.ceil(Math.sqrt(length)),
          length - requests.length,
        );
        for (let i = 0; i < block; i++) requests.push((start + i) % length);
      }
      for (const trainingSeed of trainingSeeds) {
        for (const sample of samples) {
          if (sample.trainingSeed !== trainingSeed || sample.evaluationSeed !== seed) continue;
          for (const request of requests) {
            out.baseline.push(sample.baseline[request]!);
            out.candidate.push(sample.candidate[request]!);
          }
        }
      }
    }
  }
  return out;
}

/** Ends of the interval of the candidate less the baseline, from the resamples written out. */
function plainDifference(
  samples: readonly PairedSample[],
  blockLength: number | undefined,
  statisticOf: (values: readonly number[]) => number,
): { low: number; high: number } {
  const rng = new Rng(11);
  const differences = Array.from({ length: RESAMPLES }, () => {
    const { baseline, candidate } = writeOut(samples, blockLength, rng);
    return statisticOf(candidate) - statisticOf(baseline);
  });
  return { low: quantile(differences, TAIL), high: quantile(differences, 1 - TAIL) };
}

/** Runs of 1 to 12 requests; few values, so that many are equal; trained seeds share baselines. */
const grids: fc.Arbitrary<PairedSample[]> = fc.record({
  lengths: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 }),
  trainingSeedCount: fc.integer({ min: 1, max: 6 }),
  sharesBaseline: fc.boolean(),
  holes: fc.array(fc.boolean(), { minLength: 18, maxLength: 18 }),
  seed: fc.integer({ min: 0, max: 1_000_000 }),
}).map(({ lengths, trainingSeedCount, sharesBaseline, holes, seed }) => {
  const rng = new Rng(seed);
  const latencies = (length: number) => Array.from({ length }, () => rng.below(9) / 8);
  const shared = lengths.map(latencies);
  return lengths.flatMap((length, run) =>
    Array.from({ length: trainingSeedCount }, (_, trainingSeed) => ({
      evaluationSeed: 9 - run,
      trainingSeed,
      baseline: sharesBaseline ? shared[run]! : latencies(length),
      candidate: latencies(length),
    }))
  ).filter((_, index) => index === 0 || !holes[index]);
});

const blockLengths = fc.option(fc.integer({ min: 1, max: 15 }), { nil: undefined });

function found(
  samples: readonly PairedSample[],
  blockLength: number | undefined,
  statistic: BootstrapStatistic,
) {
  return pairedBlockBootstrap(samples, new Rng(11), {
    statistic,
    resampleCount: RESAMPLES,
    ...(blockLength !== undefined && { blockLength }),
  });
}

Deno.test("pairedBlockBootstrap() finds the quantiles of the resamples written out and sorted", () => {
  fc.assert(
    fc.property(
      grids,
      blockLengths,
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      (samples, blockLength, probability) => {
        const { difference, baseline } = found(samples, blockLength, { quantile: probability });
        const expected = plainDifference(
          samples,
          blockLength,
          (values) => quantile(values, probability),
        );
        assert.deepEqual({ low: difference.low, high: difference.high }, expected);
        const pooled = samples.flatMap((sample) => Array.from(sample.baseline));
        assert.equal(baseline.estimate, quantile(pooled, probability));
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("pairedBlockBootstrap() finds the means of the resamples written out", () => {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  fc.assert(
    fc.property(grids, blockLengths, (samples, blockLength) => {
      const { difference } = found(samples, blockLength, "mean");
      const expected = plainDifference(samples, blockLength, mean);
      // Sums of eighths are exact, so means differ by nothing at all.
      assert.deepEqual({ low: difference.low, high: difference.high }, expected);
    }),
    { numRuns: 60 },
  );
});
