import { quantile, quantileSorted } from "@signalbox/signalbox/stats";
import fc from "fast-check";
import assert from "node:assert/strict";

Deno.test("quantile() agrees with NumPy's default on known values", () => {
  const values = [7, 1, 3, 10, 2.5, 3];
  // numpy.quantile(values, [0, .1, .25, .5, .9, .99, 1])
  const expected = [1, 1.75, 2.625, 3, 8.5, 9.85, 10];
  [0, 0.1, 0.25, 0.5, 0.9, 0.99, 1].forEach((probability, i) => {
    assert.ok(Math.abs(quantile(values, probability) - expected[i]!) < 1e-12);
  });
});

Deno.test("quantile() leaves its input as it was", () => {
  const values = new Float64Array([3, 1, 2]);
  quantile(values, 0.5);
  assert.deepEqual([...values], [3, 1, 2]);
});

Deno.test("quantile() is monotone in the probability and stays within the sample", () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
  const unit = fc.double({ noNaN: true, min: 0, max: 1 });
  fc.assert(fc.property(fc.array(finite, { minLength: 1 }), unit, unit, (values, p, q) => {
    const low = quantile(values, Math.min(p, q));
    const high = quantile(values, Math.max(p, q));
    assert.ok(low <= high + 1e-9); // interpolation rounds, by less than 1e-9 on |x| <= 1e6
    assert.ok(low >= Math.min(...values) && high <= Math.max(...values) + 1e-9);
  }));
});

Deno.test("quantile() refuses bad arguments", () => {
  assert.throws(() => quantile([], 0.5), /at least one value, current length is 0/);
  assert.throws(() => quantileSorted([], 0.5), RangeError);
  assert.throws(() => quantile([1], 1.01), {
    name: "RangeError",
    message: "Cannot compute a quantile: probability must be in [0, 1], current value is 1.01",
  });
  assert.throws(() => quantile([1, Infinity], 0.5), /values\[1\] must be finite/);
});
