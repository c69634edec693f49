import { Rng } from "@signalbox/signalbox/random";
import { mean, meanInterval, studentTQuantile } from "@signalbox/signalbox/stats";
import assert from "node:assert/strict";

Deno.test("studentTQuantile() matches the printed tables", () => {
  // two-sided 95 % and 99 % points, NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2
  const table: readonly (readonly [number, number, string])[] = [
    [0.975, 1, "12.706"],
    [0.975, 2, "4.303"],
    [0.975, 3, "3.182"],
    [0.975, 4, "2.776"],
    [0.975, 9, "2.262"],
    [0.975, 30, "2.042"],
    [0.995, 5, "4.032"],
    [0.995, 100, "2.626"],
    [0.9, 7, "1.415"],
  ];
  for (const [probability, degreesOfFreedom, printed] of table) {
    assert.equal(studentTQuantile(probability, degreesOfFreedom).toFixed(3), printed);
  }
  assert.equal(studentTQuantile(0.5, 3), 0);
  assert.equal(studentTQuantile(0.025, 4), -studentTQuantile(0.975, 4));
});

Deno.test("meanInterval() covers the true mean in about 95 % of small samples", () => {
  const rng = new Rng(11);
  let covered = 0;
  for (let k = 0; k < 2000; k++) {
    const { low, high } = meanInterval(Array.from({ length: 5 }, () => rng.normal()));
    if (low <= 0 && 0 <= high) covered++;
  }
  assert.ok(Math.abs(covered / 2000 - 0.95) < 0.015); // 3 standard errors: 3 sqrt(.95 .05 / 2000)
});

Deno.test("meanInterval() leaves the ends open when there is one seed", () => {
  assert.deepEqual(meanInterval([4]), { estimate: 4, low: NaN, high: NaN });
});

Deno.test("meanInterval() is centred on the mean and widens with the confidence", () => {
  const values = [1, 2, 4, 8];
  const narrow = meanInterval(values, 0.8);
  const wide = meanInterval(values, 0.99);
  assert.equal(narrow.estimate, mean(values));
  assert.ok(wide.low < narrow.low && narrow.high < wide.high);
});

Deno.test("intervals refuse bad arguments", () => {
  assert.throws(() => meanInterval([1, 2], 1), {
    name: "RangeError",
    message:
      "Cannot compute a confidence interval: confidence must be in (0, 1), current value is 1",
  });
  assert.throws(() => studentTQuantile(0.9, 1.5), /degreesOfFreedom must be an integer >= 1/);
});
