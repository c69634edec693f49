/**
 * How evenly something is shared.
 *
 * @module
 */
import { requireFiniteSample } from "./_check.ts";

/**
 * Jain's fairness index, `(sum x)^2 / (n sum x^2)`: 1 when all values are equal, `1 / n` when one of
 * them has everything.
 *
 * Source: R. Jain, D. Chiu and W. Hawe, "A quantitative measure of fairness and discrimination for
 * resource allocation in shared computer systems", DEC-TR-301 (1984).
 *
 * @param values Sample, `[n]`, finite and >= 0, with one value > 0 at least.
 * @returns In [1 / n, 1].
 * @throws {RangeError} When the sample is empty, or its values are negative, not finite or all 0.
 *
 * @example
 * ```ts
 * import { jainIndex } from "@signalbox/signalbox/stats";
 * import assert from "node:assert/strict";
 *
 * assert.equal(jainIndex([2, 2, 2]), 1);
 * assert.equal(jainIndex([1, 0, 0, 0]), 0.25);
 * ```
 */
export function jainIndex(values: ArrayLike<number>): number {
  requireFiniteSample("compute Jain's index", "values", values);
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < 0) refuse(`values[${i}] must be >= 0`, value);
    sum += value;
    squares += value * value;
  }
  if (sum === 0) refuse("the sum of the values must be > 0", sum);
  return sum * sum / (values.length * squares);
}

function refuse(rule: string, value: number): never {
  throw new RangeError(`Cannot compute Jain's index: ${rule}, current value is ${value}`);
}
