/**
 * Binary search.
 *
 * @module
 */

/**
 * The first place in an ascending array that does not hold less than `value`: the number of values
 * below it.
 *
 * @param sorted Ascending values.
 * @returns Between 0 and the length of the array.
 *
 * @example
 * ```ts
 * import { lowerBound } from "@signalbox/signalbox/stats";
 * import assert from "node:assert/strict";
 *
 * assert.equal(lowerBound([10, 20, 20, 30], 20), 1);
 * assert.equal(lowerBound([10, 20, 20, 30], 31), 4);
 * ```
 */
export function lowerBound(sorted: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
