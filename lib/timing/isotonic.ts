/**
 * Measurements made monotone.
 *
 * @module
 */

/**
 * The non-decreasing sequence closest to the values in least squares; values that already are
 * non-decreasing come back as they are.
 *
 * Source: pool adjacent violators, Barlow et al., "Statistical inference under order restrictions",
 * Wiley (1972).
 *
 * @param values Any finite values, `[n]`; not changed.
 * @returns New array `[n]`.
 *
 * @example
 * ```ts
 * import { isotonic } from "@signalbox/signalbox/timing";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual([...isotonic([1, 4, 2, 5])], [1, 3, 3, 5]);
 * ```
 */
export function isotonic(values: ArrayLike<number>): Float64Array {
  const means: number[] = [];
  const sizes: number[] = [];
  for (let i = 0; i < values.length; i++) {
    let mean = values[i]!;
    let size = 1;
    while (means.length > 0 && means[means.length - 1]! > mean) {
      const pooled = sizes.pop()!;
      mean = (mean * size + means.pop()! * pooled) / (size + pooled);
      size += pooled;
    }
    means.push(mean);
    sizes.push(size);
  }
  const result = new Float64Array(values.length);
  let start = 0;
  means.forEach((mean, block) => {
    result.fill(mean, start, start + sizes[block]!);
    start += sizes[block]!;
  });
  return result;
}
