import { mean, sampleStd } from "@signalbox/signalbox/stats";
import assert from "node:assert/strict";

Deno.test("mean() keeps small terms when large ones cancel", () => {
  assert.equal(mean([1e16, 1, -1e16, 1]), 0.5); // plain summation gives 0.25
});

Deno.test("sampleStd() divides by n - 1", () => {
  // mean 5, squared deviations 9 1 1 1 0 0 4 16 = 32, over 7
  assert.equal(sampleStd([2, 4, 4, 4, 5, 5, 7, 9]), Math.sqrt(32 / 7));
  assert.equal(sampleStd([3, 3, 3]), 0);
});

Deno.test("moments refuse empty, short and non-finite samples", () => {
  assert.throws(() => mean([]), {
    name: "RangeError",
    message: "Cannot compute a mean: values must hold at least one value, current length is 0",
  });
  assert.throws(() => mean([1, Number.NaN]), {
    name: "RangeError",
    message: "Cannot compute a mean: values[1] must be finite, current value is NaN",
  });
  assert.throws(() => sampleStd([1]), /values must hold at least 2 values, current length is 1/);
});
