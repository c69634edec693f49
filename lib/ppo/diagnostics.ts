/**
 * Numbers that tell whether an update is healthy.
 *
 * @module
 */

/** How far the policy moved on a minibatch, from log-probabilities of the chosen actions. */
export interface RatioStatistics {
  /** Estimator k1: mean(old - new). Unbiased, may be negative. */
  readonly oldApproxKl: number;
  /** Estimator k3: mean((ratio - 1) - log ratio). Never negative, low variance. */
  readonly approxKl: number;
  /** Share of ratios outside 1 -+ clipRatio. */
  readonly clipFraction: number;
  /** Largest |ratio - 1|. */
  readonly maxRatioDeviation: number;
}

/**
 * Statistics of the importance ratios exp(new - old).
 *
 * Source: Schulman, "Approximating KL divergence" (2020), for k1 and k3; detail 12 of "The 37
 * implementation details of PPO".
 *
 * @param newLogProbs `[M]`, M >= 1.
 * @param oldLogProbs `[M]`.
 */
export function ratioStatistics(
  newLogProbs: ArrayLike<number>,
  oldLogProbs: ArrayLike<number>,
  clipRatio: number,
): RatioStatistics {
  const count = newLogProbs.length;
  let k1 = 0;
  let k3 = 0;
  let clipped = 0;
  let maxRatioDeviation = 0;
  for (let i = 0; i < count; i++) {
    const logRatio = newLogProbs[i]! - oldLogProbs[i]!;
    const deviation = Math.expm1(logRatio);
    k1 -= logRatio;
    k3 += deviation - logRatio;
    if (Math.abs(deviation) > clipRatio) clipped++;
    maxRatioDeviation = Math.max(maxRatioDeviation, Math.abs(deviation));
  }
  return {
    oldApproxKl: k1 / count,
    approxKl: k3 / count,
    clipFraction: clipped / count,
    maxRatioDeviation,
  };
}

/**
 * Share of the targets' variance that the predictions explain: 1 - Var(y - p) / Var(y). 1 is
 * perfect, 0 no better than a constant.
 *
 * @returns NaN when the targets are all equal.
 *
 * @example
 * ```ts
 * import { explainedVariance } from "@signalbox/signalbox/ppo";
 * import assert from "node:assert/strict";
 *
 * assert.equal(explainedVariance([1, 2, 3], [2, 3, 4]), 1); // a constant offset does not matter
 * assert.equal(explainedVariance([5, 5, 5], [2, 3, 4]), 0);
 * ```
 */
export function explainedVariance(
  predictions: ArrayLike<number>,
  targets: ArrayLike<number>,
): number {
  const residuals = Float64Array.from(targets, (target, i) => target - predictions[i]!);
  const spread = populationVariance(targets);
  return spread === 0 ? Number.NaN : 1 - populationVariance(residuals) / spread;
}

/** Mean squared deviation from the mean. */
function populationVariance(values: ArrayLike<number>): number {
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += values[i]! / values.length;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - mean) ** 2;
  return sum / values.length;
}
