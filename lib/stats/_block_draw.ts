import type { Rng } from "../random/mod.ts";
import type { PairedSample } from "./paired_block_bootstrap.ts";

/** Requests that share their arrivals: one run under every training seed. */
interface EvaluationRun {
  readonly length: number;
  /** Changes of `counts` from one request to the next, `[length + 1]`; all 0 between draws. */
  readonly steps: Int32Array;
  /** How often each request is in the current draw, `[length]`. */
  readonly counts: Int32Array;
}

/**
 * Draws resamples: training seeds and evaluation seeds with replacement, and, for every drawn
 * evaluation seed, blocks of consecutive requests. Request `i` of sample `s` occurs
 * `sampleWeights[s] * requestCounts[s][i]` times.
 */
export class BlockDraw {
  /** How often each sample's training seed was drawn, `[samples]`. */
  readonly sampleWeights: Float64Array;
  /** How often each request of a sample's evaluation seed was drawn, `[samples]` of `[requests]`. */
  readonly requestCounts: readonly Int32Array[];
  readonly #samples: readonly PairedSample[];
  readonly #runs: readonly EvaluationRun[];
  readonly #trainingSeeds: readonly number[];
  readonly #blockLength: number | undefined;

  /** Groups the samples; seeds are drawn in ascending order of their values. */
  constructor(samples: readonly PairedSample[], blockLength: number | undefined) {
    const runs = groupByEvaluationSeed(samples);
    this.#samples = samples;
    this.#runs = [...runs].sort(([a], [b]) => a - b).map(([, run]) => run);
    this.#trainingSeeds = [...new Set(samples.map((sample) => sample.trainingSeed))]
      .sort((a, b) => a - b);
    this.#blockLength = blockLength;
    this.sampleWeights = new Float64Array(samples.length);
    this.requestCounts = samples.map((sample) => runs.get(sample.evaluationSeed)!.counts);
  }

  /** Draws anew and returns the number of requests drawn, copies included. */
  next(rng: Rng): number {
    let total = 0;
    // With a hole in the grid of seeds a draw may hit no sample at all: then it is repeated.
    while (total === 0) {
      this.#drawTrainingSeeds(rng);
      this.#drawBlocks(rng);
      this.#samples.forEach((_, s) => {
        if (this.sampleWeights[s]! > 0) {
          total += this.sampleWeights[s]! * sum(this.requestCounts[s]!);
        }
      });
    }
    return total;
  }

  #drawTrainingSeeds(rng: Rng): void {
    const seeds = this.#trainingSeeds;
    if (seeds.length === 1) {
      this.sampleWeights.fill(1);
      return;
    }
    const drawn = new Map<number, number>();
    for (let k = 0; k < seeds.length; k++) {
      const seed = seeds[rng.below(seeds.length)]!;
      drawn.set(seed, (drawn.get(seed) ?? 0) + 1);
    }
    this.#samples.forEach(({ trainingSeed }, s) => {
      this.sampleWeights[s] = drawn.get(trainingSeed) ?? 0;
    });
  }

  #drawBlocks(rng: Rng): void {
    const runs = this.#runs;
    for (let k = 0; k < runs.length; k++) {
      const { length, steps } = runs[runs.length === 1 ? 0 : rng.below(runs.length)]!;
      const block = Math.min(length, this.#blockLength ?? Math.ceil(Math.sqrt(length)));
      for (let filled = 0; filled < length; filled += block) {
        const start = rng.below(length);
        const end = start + Math.min(block, length - filled);
        steps[start]!++;
        if (end <= length) steps[end]!--;
        else {
          steps[0]!++;
          steps[end - length]!--;
        }
      }
    }
    for (const { steps, counts } of runs) {
      let count = 0;
      for (let i = 0; i < counts.length; i++) counts[i] = count += steps[i]!;
      steps.fill(0);
    }
  }
}

/** Runs by evaluation seed; refuses samples that cannot be of the same requests. */
function groupByEvaluationSeed(samples: readonly PairedSample[]): Map<number, EvaluationRun> {
  const runs = new Map<number, EvaluationRun>();
  samples.forEach(({ evaluationSeed, baseline, candidate }, index) => {
    const length = runs.get(evaluationSeed)?.length ?? baseline.length;
    if (baseline.length !== length || candidate.length !== length) {
      throw new RangeError(
        `Cannot compare policies: samples[${index}] must hold ${length} requests under both policies, current lengths are ${baseline.length}, ${candidate.length}`,
      );
    }
    if (!runs.has(evaluationSeed)) {
      const steps = new Int32Array(length + 1);
      runs.set(evaluationSeed, { length, steps, counts: new Int32Array(length) });
    }
  });
  return runs;
}

function sum(counts: Int32Array): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i]!;
  return total;
}
