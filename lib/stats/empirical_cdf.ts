/**
 * Empirical distribution functions, thinned for drawing.
 *
 * @module
 */
import { requireFiniteSample } from "./_check.ts";

/** A step function: the share `probabilities[i]` of the sample is `<= values[i]`. */
export interface EmpiricalCdf {
  /** Distinct sample values in strictly ascending order, `[points]`. */
  readonly values: Float64Array;
  /** Share of the sample that is `<=` the value, `[points]`, ascending, the last one is 1. */
  readonly probabilities: Float64Array;
}

/** How {@linkcode empiricalCdf} thins a curve. */
export interface EmpiricalCdfOptions {
  /** Largest number of points kept, an integer >= 2; all points when absent. */
  readonly maxPoints?: number;
}

/**
 * Empirical cumulative distribution function `F(x) = #{x_i <= x} / n`.
 *
 * With `maxPoints`, points are left out, none is moved: kept are the first point, the last one and
 * those nearest to an even grid, half of the points spaced evenly in probability and half spaced
 * evenly in `log(1 - F)`, so that the tail that p99 lives in keeps its shape.
 *
 * @param values Sample in any order, `[n]`, finite; not changed.
 * @param options Thinning; none by default.
 * @returns The steps, in new arrays.
 * @throws {RangeError} When the sample is empty, a value is not finite, or `maxPoints` is not an
 * integer >= 2.
 *
 * @example
 * ```ts
 * import { empiricalCdf } from "@signalbox/signalbox/stats";
 * import assert from "node:assert/strict";
 *
 * const cdf = empiricalCdf([3, 1, 1, 2]);
 * assert.deepEqual([...cdf.values], [1, 2, 3]);
 * assert.deepEqual([...cdf.probabilities], [0.5, 0.75, 1]);
 * ```
 */
export function empiricalCdf(
  values: ArrayLike<number>,
  options: EmpiricalCdfOptions = {},
): EmpiricalCdf {
  const { maxPoints } = options;
  requireFiniteSample("compute a distribution function", "values", values);
  if (maxPoints !== undefined && (!Number.isInteger(maxPoints) || maxPoints < 2)) {
    throw new RangeError(
      `Cannot compute a distribution function: maxPoints must be an integer >= 2, current value is ${maxPoints}`,
    );
  }
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  const lastOfRun: number[] = [];
  for (let i = 0; i < n; i++) if (i === n - 1 || sorted[i + 1] !== sorted[i]) lastOfRun.push(i);
  const kept = maxPoints === undefined || lastOfRun.length <= maxPoints
    ? lastOfRun
    : thin(lastOfRun, n, maxPoints);
  return {
    values: Float64Array.from(kept, (i) => sorted[i]!),
    probabilities: Float64Array.from(kept, (i) => (i + 1) / n),
  };
}

/** Picks at most `maxPoints` of the ranks, the first and the last among them. */
function thin(ranks: readonly number[], n: number, maxPoints: number): number[] {
  const chosen = new Set([0, ranks.length - 1]);
  const evenCount = Math.ceil((maxPoints - 2) / 2);
  const tailCount = maxPoints - 2 - evenCount;
  for (let k = 1; k <= evenCount; k++) chosen.add(nearest(ranks, (k / (evenCount + 1)) * n - 1));
  for (let k = 1; k <= tailCount; k++) {
    chosen.add(nearest(ranks, n - Math.pow(n, 1 - k / (tailCount + 1)) - 1));
  }
  return [...chosen].sort((a, b) => a - b).map((position) => ranks[position]!);
}

/** Position of the first rank that is >= `target` (the last position when none is). */
function nearest(ranks: readonly number[], target: number): number {
  let low = 0;
  let high = ranks.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranks[middle]! < target) low = middle + 1;
    else high = middle;
  }
  return low;
}
