/**
 * How bursty arrivals are, by time scale.
 *
 * @module
 */
import { mean, sampleStd } from "../stats/mod.ts";

/** Arrivals counted in windows of equal length. */
export interface CountDispersion {
  /** Mean count. */
  readonly meanCount: number;
  /** Index of dispersion: variance over mean of the counts; 1 for a Poisson process. */
  readonly dispersion: number;
  /** Share of the windows without an arrival. */
  readonly idleShare: number;
}

/**
 * Counts arrivals in consecutive windows from time 0; what follows the last whole window is left
 * out.
 *
 * @param arrivalSeconds Times, `[n]`, non-decreasing.
 * @param windowSeconds Length of a window, > 0.
 * @throws {RangeError} When the arrivals fill fewer than two windows.
 *
 * @example
 * ```ts
 * import { countDispersion } from "@signalbox/signalbox/workload";
 * import assert from "node:assert/strict";
 *
 * // Counts 2, 0, 1: mean 1, variance 1.
 * const { dispersion, idleShare } = countDispersion([0.1, 0.2, 2.5, 3], 1);
 * assert.equal(dispersion, 1);
 * assert.equal(idleShare, 1 / 3);
 * ```
 */
export function countDispersion(
  arrivalSeconds: ArrayLike<number>,
  windowSeconds: number,
): CountDispersion {
  const windows = Math.floor((arrivalSeconds[arrivalSeconds.length - 1] ?? 0) / windowSeconds);
  if (!(windows >= 2 && windows < Infinity)) {
    throw new RangeError(
      `Cannot count arrivals: they must last at least two windows, current value is ${windows} of ${windowSeconds} s`,
    );
  }
  const counts = new Float64Array(windows);
  for (let i = 0; i < arrivalSeconds.length; i++) {
    const window = Math.floor(arrivalSeconds[i]! / windowSeconds);
    if (window < windows) counts[window]!++;
  }
  const meanCount = mean(counts);
  return {
    meanCount,
    dispersion: sampleStd(counts) ** 2 / meanCount,
    idleShare: counts.filter((count) => count === 0).length / windows,
  };
}
