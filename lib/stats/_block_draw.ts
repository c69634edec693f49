import type { Rng } from "../random/mod.ts";
import type { PairedSample } from "./paired_block_bootstrap.ts";

/** Requests that share their arrivals: one run under every training seed. */
export interface EvaluationRun {
  /**
   * How often each request is in the current draw, less how often the one before it is,
   * `[requests]`: the running sums are the counts. A block is two entries.
   */
  readonly steps: Int32Array;
  /** How often the run is in the current draw; at 0 so are all `steps`. */
  drawCount: number;
}

/**
 * Draws resamples: training seeds and evaluation seeds with replacement, and, for every drawn
 * evaluation seed, blocks of consecutive requests. A request of sample `s` occurs
 * `sampleWeights[s]` times its count in `runs[s]`.
 */
export class BlockDraw {
  /** How often each sample's training seed was drawn, `[samples]`. */
  readonly sampleWeights: Float64Array;
  /** The run that each sample is of, `[samples]`. */
  readonly runs: readonly EvaluationRun[];
  /** All runs, in ascending order of their evaluation seeds. */
  readonly #distinctRuns: readonly EvaluationRun[];
  /** Position of each sample's training seed among all, in ascending order, `[samples]`. */
  readonly #seedOf: Int32Array;
  /** How often each training seed was drawn, `[training seeds]`. */
  readonly #seedCounts: Int32Array;
  readonly #blockLength: number | undefined;

  /** Groups the samples; seeds are drawn in ascending order of their values. */
  constructor(samples: readonly PairedSample[], blockLength: number | undefined) {
    const runs = groupByEvaluationSeed(samples);
    const seeds = [...new Set(samples.map((sample) => sample.trainingSeed))].sort((a, b) => a - b);
    this.sampleWeights = new Float64Array(samples.length);
    this.runs = samples.map((sample) => runs.get(sample.evaluationSeed)!);
    this.#distinctRuns = [...runs].sort(([a], [b]) => a - b).map(([, run]) => run);
    this.#seedOf = Int32Array.from(samples, (sample) => seeds.indexOf(sample.trainingSeed));
    this.#seedCounts = new Int32Array(seeds.length);
    this.#blockLength = blockLength;
  }

  /** Draws anew and returns the number of requests drawn, copies included. */
  next(rng: Rng): number {
    let total = 0;
    // With a hole in the grid of seeds a draw may hit no sample at all: then it is repeated.
    while (total === 0) {
      this.#drawTrainingSeeds(rng);
      this.#drawBlocks(rng);
      total = this.#total();
    }
    return total;
  }

  /** Takes every request of every sample once and returns how many there are. */
  takeAll(): number {
    this.sampleWeights.fill(1);
    for (const run of this.#distinctRuns) {
      run.drawCount = 1;
      run.steps.fill(0);
      run.steps[0] = 1;
    }
    return this.#total();
  }

  #total(): number {
    let total = 0;
    for (let s = 0; s < this.runs.length; s++) {
      const { steps, drawCount } = this.runs[s]!;
      total += this.sampleWeights[s]! * drawCount * steps.length;
    }
    return total;
  }

  #drawTrainingSeeds(rng: Rng): void {
    const counts = this.#seedCounts;
    const { length } = counts;
    counts.fill(0);
    for (let k = 0; k < length; k++) counts[length === 1 ? 0 : rng.below(length)]!++;
    for (let s = 0; s < this.runs.length; s++) {
      this.sampleWeights[s] = counts[this.#seedOf[s]!]!;
    }
  }

  #drawBlocks(rng: Rng): void {
    const runs = this.#distinctRuns;
    for (const run of runs) {
      run.drawCount = 0;
      run.steps.fill(0);
    }
    for (let k = 0; k < runs.length; k++) {
      const run = runs[runs.length === 1 ? 0 : rng.below(runs.length)]!;
      run.drawCount++;
      addBlocks(run.steps, this.#blockLength ?? Math.ceil(Math.sqrt(run.steps.length)), rng);
    }
  }
}

/** Draws blocks, wrapping at the end, until the run's length is reached. */
function addBlocks(steps: Int32Array, blockLength: number, rng: Rng): void {
  const { length } = steps;
  const block = Math.min(length, blockLength);
  for (let filled = 0; filled < length; filled += block) {
    const start = rng.below(length);
    const end = start + Math.min(block, length - filled);
    steps[start]!++;
    if (end < length) steps[end]!--;
    else if (end > length) {
      steps[0]!++;
      steps[end - length]!--;
    }
  }
}

/** Runs by evaluation seed; refuses samples that cannot be of the same requests. */
function groupByEvaluationSeed(samples: readonly PairedSample[]): Map<number, EvaluationRun> {
  const runs = new Map<number, EvaluationRun>();
  samples.forEach(({ evaluationSeed, baseline, candidate }, index) => {
    const length = runs.get(evaluationSeed)?.steps.length ?? baseline.length;
    if (baseline.length !== length || candidate.length !== length) {
      throw new RangeError(
        `Cannot compare policies: samples[${index}] must hold ${length} requests under both policies, current lengths are ${baseline.length}, ${candidate.length}`,
      );
    }
    if (!runs.has(evaluationSeed)) {
      runs.set(evaluationSeed, { steps: new Int32Array(length), drawCount: 0 });
    }
  });
  return runs;
}
