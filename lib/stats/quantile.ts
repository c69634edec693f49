/**
 * Exact sample quantiles.
 *
 * @module
 */
import { requireFiniteSample } from "./_check.ts";

/**
 * Exact quantile by linear interpolation between order statistics: with the sorted sample
 * `x[0..n-1]` and `h = (n - 1) p`, the result is `x[floor h] + (h - floor h)(x[floor h + 1] -
 * x[floor h])`.
 *
 * Source: definition 7 of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages",
 * The American Statistician 50 (1996); the default of NumPy, R and DuckDB's `quantile_cont`.
 *
 * @param values Sample in any order, `[n]`, finite; not changed.
 * @param probability In [0, 1].
 * @returns The quantile, in the unit of the values.
 * @throws {RangeError} When the sample is empty, a value is not finite, or the probability is out
 * of range.
 *
 * @example
 * ```ts
 * import { quantile } from "@signalbox/signalbox/stats";
 * import assert from "node:assert/strict";
 *
 * assert.equal(quantile([40, 10, 30, 20], 0.5), 25);
 * assert.equal(quantile([40, 10, 30, 20], 1), 40);
 * ```
 */
export function quantile(values: ArrayLike<number>, probability: number): number {
  requireFiniteSample("compute a quantile", "values", values);
  return quantileSorted(Float64Array.from(values).sort(), probability);
}

/**
 * {@linkcode quantile} of a sample that is already in ascending order: no copy, no sort.
 *
 * @param sorted Sample in ascending order, `[n]`.
 * @param probability In [0, 1].
 * @returns The quantile, in the unit of the values.
 * @throws {RangeError} When the sample is empty or the probability is out of range.
 *
 * @example
 * ```ts
 * import { quantileSorted } from "@signalbox/signalbox/stats";
 * import assert from "node:assert/strict";
 *
 * assert.equal(quantileSorted([0, 10, 20], 0.75), 15);
 * ```
 */
export function quantileSorted(sorted: ArrayLike<number>, probability: number): number {
  if (sorted.length === 0) {
    throw new RangeError(
      "Cannot compute a quantile: values must hold at least one value, current length is 0",
    );
  }
  if (!(probability >= 0 && probability <= 1)) {
    throw new RangeError(
      `Cannot compute a quantile: probability must be in [0, 1], current value is ${probability}`,
    );
  }
  const position = (sorted.length - 1) * probability;
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (position - below) * (high - low);
}
