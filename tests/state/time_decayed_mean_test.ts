import assert from "node:assert/strict";
import { TimeDecayedMean } from "../../lib/state/mod.ts";
import { assertAllClose } from "../_helpers.ts";

Deno.test("TimeDecayedMean equals its defining sums", () => {
  const samples = [[0, 4], [1, 2], [1, 8], [3.5, -1]] as const;
  const mean = new TimeDecayedMean(2);
  for (const [time, value] of samples) mean.add(time, value);
  const weights = samples.map(([time]) => Math.exp(-(3.5 - time) / 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const weighted = weights.reduce((sum, weight, i) => sum + weight * samples[i]![1], 0);
  assertAllClose([mean.value, mean.weightAt(5.5)], [weighted / total, total / Math.E], {
    rtol: 1e-14,
  });
});

Deno.test("TimeDecayedMean counts all samples of one moment alike", () => {
  const mean = new TimeDecayedMean(1);
  for (const value of [1, 2, 6]) mean.add(7, value);
  assert.equal(mean.value, 3);
});

Deno.test("TimeDecayedMean is 0 when empty or cleared", () => {
  const mean = new TimeDecayedMean(1);
  assert.equal(mean.value, 0);
  mean.add(1, 5);
  mean.clear();
  assert.equal(mean.value, 0);
  mean.add(3, 2);
  assert.equal(mean.value, 2, "nothing of before is left");
});

Deno.test("TimeDecayedMean refuses a time constant that is not positive", () => {
  assert.throws(() => new TimeDecayedMean(0), {
    name: "RangeError",
    message: "Cannot create an average: tauSeconds must be > 0, current value is 0",
  });
});
