import assert from "node:assert/strict";
import { countDispersion } from "../../lib/workload/mod.ts";

Deno.test("countDispersion() computes mean, dispersion and idle share by hand", () => {
  // Windows of 2 s: counts 3, 0, 1, and an incomplete last one. Mean 4/3, variance 7/3.
  const { meanCount, dispersion, idleShare } = countDispersion([0, 1, 1.9, 5, 7.5], 2);
  assert.equal(meanCount, 4 / 3);
  assert.ok(Math.abs(dispersion - 7 / 4) < 1e-12);
  assert.equal(idleShare, 1 / 3);
});

Deno.test("countDispersion() refuses arrivals that are too short for two windows", () => {
  for (const [times, window] of [[[], 1], [[1, 3], 2], [[1, 3], 0], [[1], -1]] as const) {
    assert.throws(() => countDispersion(times, window), {
      name: "RangeError",
      message: /must last at least two windows/,
    });
  }
});
