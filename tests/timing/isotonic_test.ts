import assert from "node:assert/strict";
import fc from "fast-check";
import { isotonic } from "../../lib/timing/mod.ts";

Deno.test("isotonic() pools neighbours that decrease", () => {
  assert.deepEqual([...isotonic([3, 2, 1])], [2, 2, 2]);
  // 6 and 0 pool to 3, which is below 5: 5, 6, 0 pool to 11 / 3.
  assert.deepEqual([...isotonic([5, 6, 0, 9])], [11 / 3, 11 / 3, 11 / 3, 9]);
  assert.deepEqual([...isotonic([])], []);
});

Deno.test("isotonic() is non-decreasing, keeps the sum, and keeps sorted values", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: -99, max: 99 })), (values) => {
    const fitted = isotonic(values);
    assert.equal(fitted.length, values.length);
    fitted.forEach((value, i) => assert.ok(i === 0 || value >= fitted[i - 1]!));
    const sum = (numbers: ArrayLike<number>): number =>
      Array.from(numbers).reduce((total, value) => total + value, 0);
    assert.ok(Math.abs(sum(fitted) - sum(values)) < 1e-9);
    const sorted = [...values].sort((a, b) => a - b);
    assert.deepEqual([...isotonic(sorted)], sorted);
  }));
});
