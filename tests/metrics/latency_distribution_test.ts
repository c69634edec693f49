import * as fc from "fast-check";
import assert from "node:assert/strict";
import { EXACT_LATENCIES, LatencyDistribution } from "../../lib/metrics/mod.ts";
import { mean, quantile } from "../../lib/stats/mod.ts";

function distributionOf(values: readonly number[], exactCount: number): LatencyDistribution {
  const distribution = new LatencyDistribution({ exactCount });
  for (const value of values) distribution.add(value);
  return distribution;
}

const latencies = fc.array(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), {
  minLength: 1,
  maxLength: 200,
});

Deno.test("LatencyDistribution is exact up to its limit, whatever was asked before", () => {
  fc.assert(
    fc.property(latencies, fc.double({ min: 0, max: 1, noNaN: true }), (values, probability) => {
      const distribution = distributionOf(values, values.length);
      assert.ok(distribution.isExact);
      assert.equal(distribution.quantile(probability), quantile(values, probability));
      assert.equal(distribution.mean(), mean(values));
    }),
    { seed: 1 },
  );
});

Deno.test("LatencyDistribution beyond its limit is within 0.1 % of a value of that rank", () => {
  fc.assert(
    fc.property(latencies, fc.double({ min: 0, max: 1, noNaN: true }), (values, probability) => {
      const distribution = distributionOf(values, values.length - 1);
      assert.ok(!distribution.isExact);
      assert.equal(distribution.count, values.length);
      const sorted = values.toSorted((a, b) => a - b);
      const rank = probability * (values.length - 1);
      const found = distribution.quantile(probability);
      // 1e-9 for the rounding of logarithms at the bounds of the sketch's bins.
      assert.ok(found >= sorted[Math.floor(rank)]! * (1 - 0.001 - 1e-9));
      assert.ok(found <= sorted[Math.ceil(rank)]! * (1 + 0.001 + 1e-9));
      assert.ok(Math.abs(distribution.mean() / mean(values) - 1) < 1e-12);
    }),
    { seed: 2 },
  );
});

Deno.test("LatencyDistribution takes in what comes between questions", () => {
  const distribution = distributionOf([3, 1], 10);
  assert.equal(distribution.quantile(0.5), 2);
  distribution.add(8);
  assert.equal(distribution.quantile(0.5), 3);
  assert.equal(distribution.mean(), 4);
});

Deno.test("LatencyDistribution passes its limit once and keeps every value", () => {
  const distribution = new LatencyDistribution();
  for (let i = 0; i < EXACT_LATENCIES; i++) distribution.add(i % 100);
  assert.ok(distribution.isExact);
  distribution.add(0);
  assert.ok(!distribution.isExact);
  assert.equal(distribution.count, EXACT_LATENCIES + 1);
  assert.equal(distribution.quantile(0), 0);
  assert.ok(Math.abs(distribution.quantile(1) - 99) <= 0.099);
});

Deno.test("LatencyDistribution refuses what is no latency and questions about nothing", () => {
  for (const seconds of [-1, NaN, Infinity]) {
    assert.throws(() => new LatencyDistribution().add(seconds), /seconds must be finite and >= 0/);
  }
  assert.throws(() => new LatencyDistribution().mean(), RangeError);
  assert.throws(() => new LatencyDistribution().quantile(0.5), RangeError);
  for (const exactCount of [0, 5]) {
    assert.throws(() => distributionOf([1, 2], exactCount).quantile(1.5), {
      name: "RangeError",
      message: "Cannot compute a quantile: probability must be in [0, 1], current value is 1.5",
    });
  }
});
