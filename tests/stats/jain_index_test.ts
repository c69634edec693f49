import assert from "node:assert/strict";
import fc from "fast-check";
import { jainIndex } from "../../lib/stats/mod.ts";

Deno.test("jainIndex() is what the paper's example says", () => {
  // Jain, Chiu and Hawe 1984, section 3: 20 dollars for each of 10 of 100 people: 0.10.
  const dollars = Array.from({ length: 100 }, (_, i) => i < 10 ? 20 : 0);
  assert.ok(Math.abs(jainIndex(dollars) - 0.1) < 1e-15);
  assert.equal(jainIndex([1, 3]), 0.8); // 16 / (2 x 10)
});

Deno.test("jainIndex() lies between 1 / n and 1 and does not know the unit", () => {
  const values = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 20 })
    .filter((sample) => sample.some((value) => value > 0));
  fc.assert(fc.property(values, (sample) => {
    const index = jainIndex(sample);
    assert.ok(index >= 1 / sample.length - 1e-12 && index <= 1 + 1e-12);
    assert.ok(Math.abs(jainIndex(sample.map((value) => 7 * value)) - index) < 1e-12);
  }));
});

Deno.test("jainIndex() refuses what cannot be shared", () => {
  for (const values of [[], [0, 0], [1, -1], [1, NaN]]) {
    assert.throws(() => jainIndex(values), RangeError);
  }
});
