/**
 * Is the difference between two policies real? Resampling that respects time and seeds.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { BlockDraw } from "./_block_draw.ts";
import { requireFiniteSample, requireOpenProbability } from "./_check.ts";
import { concatenate } from "./_concatenate.ts";
import { PairedMeans } from "./_paired_means.ts";
import { PairedQuantiles } from "./_paired_quantiles.ts";
import type { Interval } from "./interval.ts";
import { mean } from "./moments.ts";
import { quantile } from "./quantile.ts";

/** What is compared: the mean, or a quantile such as `{ quantile: 0.99 }`. */
export type BootstrapStatistic = "mean" | { readonly quantile: number };

/** One evaluation run under both policies. */
export interface PairedSample {
  /** Seed of the arrivals; samples with equal evaluation seeds hold the same requests. */
  readonly evaluationSeed: number;
  /** Seed the candidate was trained with; the same for all samples when nothing was trained. */
  readonly trainingSeed: number;
  /** Metric of every request under the baseline, in order of arrival, `[requests]`. */
  readonly baseline: ArrayLike<number>;
  /** Metric of the same requests under the candidate, `[requests]`. */
  readonly candidate: ArrayLike<number>;
}

/** Settings of {@linkcode pairedBlockBootstrap}. */
export interface BootstrapOptions {
  /** Mean by default. */
  readonly statistic?: BootstrapStatistic;
  /** Resamples, an integer >= 100; 2000 by default. */
  readonly resampleCount?: number;
  /** Consecutive requests a block, an integer >= 1; `ceil(sqrt(requests))` of each run by default. */
  readonly blockLength?: number;
  /** Coverage in (0, 1); 0.95 by default. */
  readonly confidence?: number;
}

/** What {@linkcode pairedBlockBootstrap} found. */
export interface BootstrapDifference {
  /** Coverage of the intervals. */
  readonly confidence: number;
  /** The statistic under the baseline, over all samples pooled, with its percentile interval. */
  readonly baseline: Interval;
  /** The statistic under the candidate, over all samples pooled, with its percentile interval. */
  readonly candidate: Interval;
  /** Candidate minus baseline, with its percentile interval; below 0 the candidate is faster. */
  readonly difference: Interval;
  /** Candidate / baseline - 1, with its percentile interval; ends are `NaN` if a baseline was 0. */
  readonly relative: Interval;
}

/**
 * Paired circular block bootstrap of the difference between two policies on the same requests.
 *
 * Every resample draws training seeds with replacement and, independently of them, evaluation seeds
 * with replacement (the pigeonhole bootstrap for crossed factors); for every drawn evaluation seed
 * it draws blocks of consecutive requests, wrapping at the end, until the run's length is reached.
 * Both policies get the same draw, so what they share cancels. Blocks keep the correlation that
 * queueing puts between neighbours; single requests as units would give intervals far too narrow.
 * With few seeds the interval is somewhat narrow still: `k` seeds show `(k - 1) / k` of the variance
 * between them.
 *
 * Samples of an evaluation seed that hold one and the same baseline array share what is computed of
 * it.
 *
 * Source: D. Politis and J. Romano, "A circular block-resampling procedure for stationary data"
 * (1992); A. Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1 (2007).
 *
 * @param samples One sample for each pair of training seed and evaluation seed.
 * @param rng Source of the draws; advanced.
 * @param options Statistic, resamples, block length, coverage.
 * @throws {RangeError} When a sample is empty or not finite, lengths within an evaluation seed
 * differ, or an option is out of range.
 *
 * @example A candidate that halves every latency
 * ```ts
 * import { Rng } from "@signalbox/signalbox/random";
 * import { pairedBlockBootstrap } from "@signalbox/signalbox/stats";
 * import assert from "node:assert/strict";
 *
 * const baseline = [3, 5, 4, 9, 7, 8];
 * const candidate = baseline.map((seconds) => seconds / 2);
 * const samples = [{ evaluationSeed: 1, trainingSeed: 0, baseline, candidate }];
 * const { difference, relative } = pairedBlockBootstrap(samples, new Rng(7));
 * assert.equal(difference.estimate, -3);
 * assert.deepEqual(relative, { estimate: -0.5, low: -0.5, high: -0.5 });
 * ```
 */
export function pairedBlockBootstrap(
  samples: readonly PairedSample[],
  rng: Rng,
  options: BootstrapOptions = {},
): BootstrapDifference {
  const { statistic = "mean", resampleCount = 2000, blockLength, confidence = 0.95 } = options;
  requireOptions(samples, statistic, resampleCount, blockLength, confidence);
  const draw = new BlockDraw(samples, blockLength);
  const paired = statistic === "mean"
    ? new PairedMeans(samples, draw)
    : new PairedQuantiles(samples, draw, statistic.quantile);
  const [baselineEstimate, candidateEstimate] = statistic === "mean"
    ? [pooledMean(samples, "baseline"), pooledMean(samples, "candidate")]
    : paired.compute(draw.takeAll());

  const baselines = new Float64Array(resampleCount);
  const candidates = new Float64Array(resampleCount);
  const differences = new Float64Array(resampleCount);
  const ratios = new Float64Array(resampleCount);
  for (let r = 0; r < resampleCount; r++) {
    const [b, c] = paired.compute(draw.next(rng));
    baselines[r] = b;
    candidates[r] = c;
    differences[r] = c - b;
    ratios[r] = c / b - 1;
  }
  const tail = (1 - confidence) / 2;
  return {
    confidence,
    baseline: percentileInterval(baselineEstimate, baselines, tail),
    candidate: percentileInterval(candidateEstimate, candidates, tail),
    difference: percentileInterval(candidateEstimate - baselineEstimate, differences, tail),
    relative: percentileInterval(candidateEstimate / baselineEstimate - 1, ratios, tail),
  };
}

/** The mean of the pooled samples themselves, compensated; those of the draws are plain sums. */
function pooledMean(samples: readonly PairedSample[], policy: "baseline" | "candidate"): number {
  return mean(concatenate(samples.map((sample) => sample[policy])));
}

/** Interval between the quantiles of the draws; unknown when a draw divided by zero. */
function percentileInterval(estimate: number, draws: Float64Array, tail: number): Interval {
  if (!draws.every(Number.isFinite)) return { estimate, low: Number.NaN, high: Number.NaN };
  return { estimate, low: quantile(draws, tail), high: quantile(draws, 1 - tail) };
}

/** Checks every argument of {@linkcode pairedBlockBootstrap} before work starts. */
function requireOptions(
  samples: readonly PairedSample[],
  statistic: BootstrapStatistic,
  resampleCount: number,
  blockLength: number | undefined,
  confidence: number,
): void {
  const act = "compare policies";
  if (samples.length === 0) {
    throw new RangeError(
      `Cannot ${act}: samples must hold at least one sample, current length is 0`,
    );
  }
  samples.forEach((sample, index) => {
    requireFiniteSample(act, `samples[${index}].baseline`, sample.baseline);
    requireFiniteSample(act, `samples[${index}].candidate`, sample.candidate);
  });
  if (statistic !== "mean") {
    requireOpenProbability(act, "statistic.quantile", statistic.quantile);
  }
  if (!Number.isInteger(resampleCount) || resampleCount < 100) {
    throw new RangeError(
      `Cannot ${act}: resampleCount must be an integer >= 100, current value is ${resampleCount}`,
    );
  }
  if (blockLength !== undefined && (!Number.isInteger(blockLength) || blockLength < 1)) {
    throw new RangeError(
      `Cannot ${act}: blockLength must be an integer >= 1, current value is ${blockLength}`,
    );
  }
  requireOpenProbability(act, "confidence", confidence);
}
