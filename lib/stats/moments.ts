/**
 * Mean and standard deviation of a sample.
 *
 * @module
 */
import { requireFiniteSample } from "./_check.ts";

/**
 * Arithmetic mean, summed in index order with Neumaier's compensation, so that a million latencies
 * lose no digits.
 *
 * Source: A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen",
 * ZAMM 54 (1974).
 *
 * @param values Sample, `[n]`, finite.
 * @returns The mean, in the unit of the values.
 * @throws {RangeError} When the sample is empty or holds a value that is not finite.
 *
 * @example Small terms survive beside large ones
 * ```ts
 * import { mean } from "@signalbox/signalbox/stats";
 * import assert from "node:assert/strict";
 *
 * assert.equal(mean([1, 1e100, 1, -1e100]), 0.5);
 * ```
 */
export function mean(values: ArrayLike<number>): number {
  requireFiniteSample("compute a mean", "values", values);
  let sum = 0;
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? (sum - next) + value : (value - next) + sum;
    sum = next;
  }
  return (sum + lost) / values.length;
}

/**
 * Sample standard deviation, with divisor `n - 1`, in two passes.
 *
 * @param values Sample, `[n]`, finite, `n >= 2`.
 * @returns The standard deviation, in the unit of the values.
 * @throws {RangeError} When there are fewer than two values or one is not finite.
 *
 * @example
 * ```ts
 * import { sampleStd } from "@signalbox/signalbox/stats";
 * import assert from "node:assert/strict";
 *
 * assert.equal(sampleStd([1, 3, 5]), 2); // squares 4 + 0 + 4, over n - 1 = 2
 * ```
 */
export function sampleStd(values: ArrayLike<number>): number {
  if (values.length < 2) {
    throw new RangeError(
      `Cannot compute a standard deviation: values must hold at least 2 values, current length is ${values.length}`,
    );
  }
  const centre = mean(values);
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - centre) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}
