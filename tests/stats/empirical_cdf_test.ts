import { Rng } from "@signalbox/signalbox/random";
import { empiricalCdf } from "@signalbox/signalbox/stats";
import assert from "node:assert/strict";

Deno.test("empiricalCdf() steps by the share of equal values", () => {
  const cdf = empiricalCdf([5, 2, 5, 1]);
  assert.deepEqual([...cdf.values], [1, 2, 5]);
  assert.deepEqual([...cdf.probabilities], [0.25, 0.5, 1]);
});

Deno.test("empiricalCdf() keeps both ends, the tail and true points when it thins", () => {
  const rng = new Rng(3);
  const values = Float64Array.from({ length: 100_000 }, () => rng.exponential(1));
  const full = empiricalCdf(values);
  const thin = empiricalCdf(values, { maxPoints: 400 });
  assert.ok(thin.values.length <= 400 && thin.values.length > 350);
  assert.equal(thin.values[0], full.values[0]);
  assert.equal(thin.values.at(-1), full.values.at(-1));
  const trueShare = new Map([...full.values].map((value, i) => [value, full.probabilities[i]]));
  thin.values.forEach((value, i) => assert.equal(thin.probabilities[i], trueShare.get(value)));
  // above p99: half of the 398 inner points are even in log(1 - F), 2/5 of those lie past 99 %
  assert.ok(thin.probabilities.filter((share) => share > 0.99).length >= 70);
  // no gap in probability wider than the even grid
  thin.probabilities.forEach((share, i) => {
    assert.ok(share - (thin.probabilities[i - 1] ?? 0) < 1.01 / 200);
  });
});

Deno.test("empiricalCdf() gives the same points for the same sample in any order", () => {
  const values = Float64Array.from({ length: 5000 }, (_, i) => (i * 7919) % 5003);
  const shuffled = new Rng(1).shuffle(values.slice());
  assert.deepEqual(
    empiricalCdf(values, { maxPoints: 50 }),
    empiricalCdf(shuffled, { maxPoints: 50 }),
  );
});

Deno.test("empiricalCdf() refuses bad arguments", () => {
  assert.throws(() => empiricalCdf([]), /values must hold at least one value/);
  assert.throws(() => empiricalCdf([1], { maxPoints: 1 }), {
    name: "RangeError",
    message:
      "Cannot compute a distribution function: maxPoints must be an integer >= 2, current value is 1",
  });
});
