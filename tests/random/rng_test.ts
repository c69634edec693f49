import assert from "node:assert/strict";
import fc from "fast-check";
import { Rng } from "../../lib/random/mod.ts";

/** Mean and variance of `count` draws. */
function moments(draw: () => number, count: number): { mean: number; variance: number } {
  let mean = 0;
  let squares = 0;
  for (let i = 1; i <= count; i++) {
    const x = draw();
    const delta = x - mean;
    mean += delta / i;
    squares += delta * (x - mean);
  }
  return { mean, variance: squares / (count - 1) };
}

const SAMPLES = 200_000;

/** Five standard errors of a mean: a right generator fails about once in 1.7 million seeds. */
function assertMean(actual: number, expected: number, variance: number): void {
  const tolerance = 5 * Math.sqrt(variance / SAMPLES);
  assert.ok(
    Math.abs(actual - expected) < tolerance,
    `${actual} is not within ${tolerance} of ${expected}`,
  );
}

Deno.test("Rng gives the same sequence for the same seed and another for another", () => {
  const draws = (seed: number) => {
    const rng = new Rng(seed);
    return Array.from({ length: 8 }, () => rng.nextInt32());
  };
  assert.deepEqual(draws(42), draws(42));
  assert.notDeepEqual(draws(42), draws(43));
  assert.notDeepEqual(draws(1), draws(1 + 2 ** 32));
});

Deno.test("Rng.stream() depends on the seed and the name, not on the draws made", () => {
  const fresh = new Rng(5).stream("arrivals");
  const used = new Rng(5);
  for (let i = 0; i < 100; i++) used.uniform();
  assert.equal(used.stream("arrivals").uniform(), fresh.uniform());
  assert.notEqual(new Rng(5).stream("lengths").uniform(), new Rng(5).stream("arrivals").uniform());
});

Deno.test("Rng.stream() draws are uncorrelated between neighbouring seeds", () => {
  let sum = 0;
  const count = 20_000;
  for (let seed = 0; seed < count; seed++) {
    const a = new Rng(seed).stream("env").uniform() - 0.5;
    const b = new Rng(seed + 1).stream("env").uniform() - 0.5;
    sum += a * b;
  }
  // Under independence the correlation's standard error is 1 / sqrt(count) = 0.007.
  assert.ok(Math.abs((12 * sum) / count) < 0.035);
});

Deno.test("Rng.uniform() has the moments of U(0, 1)", () => {
  const rng = new Rng(1);
  const { mean, variance } = moments(() => rng.uniform(), SAMPLES);
  assertMean(mean, 0.5, 1 / 12);
  assert.ok(Math.abs(variance - 1 / 12) < 0.001);
});

Deno.test("Rng.normal(), exponential() and gamma() have the moments of their distributions", () => {
  const rng = new Rng(2);
  assertMean(moments(() => rng.normal(), SAMPLES).mean, 0, 1);
  assert.ok(Math.abs(moments(() => rng.normal(), SAMPLES).variance - 1) < 0.02);
  assertMean(moments(() => rng.exponential(4), SAMPLES).mean, 0.25, 1 / 16);
  assertMean(moments(() => rng.gamma(0.3, 2), SAMPLES).mean, 0.6, 1.2);
  assertMean(moments(() => rng.gamma(4, 0.5), SAMPLES).mean, 2, 1);
});

Deno.test("Rng.below() is uniform over its range and refuses a bad bound", () => {
  const rng = new Rng(3);
  const counts = new Int32Array(3);
  for (let i = 0; i < 30_000; i++) counts[rng.below(3)]!++;
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 5 * Math.sqrt(30_000 * 2 / 9));
  assert.throws(() => rng.below(0), {
    name: "RangeError",
    message: /bound must be an integer .* is 0$/,
  });
  assert.throws(() => rng.below(1.5), RangeError);
});

Deno.test("Rng.shuffle() permutes in place", () => {
  fc.assert(fc.property(fc.array(fc.integer()), fc.integer(), (values, seed) => {
    const shuffled = new Rng(seed).shuffle([...values]);
    assert.deepEqual([...shuffled].sort((a, b) => a - b), [...values].sort((a, b) => a - b));
  }));
});

Deno.test("Rng.restore() continues exactly where the state was taken", () => {
  for (const normalsDrawn of [0, 1, 2]) {
    const rng = new Rng(9);
    for (let i = 0; i < normalsDrawn; i++) rng.normal();
    const copy = Rng.restore(9, JSON.parse(JSON.stringify(rng.getState())));
    for (let i = 0; i < 5; i++) assert.equal(copy.normal(), rng.normal());
  }
});

Deno.test("Rng refuses a seed that is not a safe integer", () => {
  assert.throws(() => new Rng(0.5), {
    name: "RangeError",
    message: /seed must be a safe integer.*0\.5/,
  });
});
