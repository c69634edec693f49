import assert from "node:assert/strict";
import fc from "fast-check";
import { orthogonal } from "../../lib/policy/mod.ts";
import { Rng } from "../../lib/random/mod.ts";

Deno.test("orthogonal() gives orthonormal rows or columns times the gain, whichever are fewer", () => {
  const size = fc.integer({ min: 1, max: 24 });
  fc.assert(
    fc.property(
      size,
      size,
      fc.integer(),
      fc.constantFrom(0.01, 1, Math.SQRT2),
      (rows, columns, seed, gain) => {
        const matrix = orthogonal(new Rng(seed), [rows, columns], gain);
        const count = Math.min(rows, columns);
        const entry = (vector: number, i: number): number =>
          rows <= columns ? matrix[vector * columns + i]! : matrix[i * columns + vector]!;
        for (let a = 0; a < count; a++) {
          for (let b = 0; b <= a; b++) {
            let product = 0;
            for (let i = 0; i < Math.max(rows, columns); i++) product += entry(a, i) * entry(b, i);
            // float32 rounding of up to 24 products of numbers <= gain
            assert.ok(Math.abs(product - (a === b ? gain * gain : 0)) < 1e-5 * gain * gain);
          }
        }
      },
    ),
    { seed: 7, numRuns: 60 },
  );
});

Deno.test("orthogonal() is the same for the same generator state and differs for another seed", () => {
  assert.deepEqual(orthogonal(new Rng(3), [5, 7], 1), orthogonal(new Rng(3), [5, 7], 1));
  assert.notDeepEqual(orthogonal(new Rng(3), [5, 7], 1), orthogonal(new Rng(4), [5, 7], 1));
});

Deno.test("orthogonal() refuses dimensions that are not integers >= 1", () => {
  assert.throws(() => orthogonal(new Rng(1), [0, 3], 1), {
    name: "RangeError",
    message:
      "Cannot draw an orthogonal matrix: shape must be two integers >= 1, current value is [0, 3]",
  });
});
