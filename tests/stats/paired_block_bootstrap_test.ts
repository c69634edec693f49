import { Rng } from "@signalbox/signalbox/random";
import {
  mean,
  pairedBlockBootstrap,
  type PairedSample,
  quantile,
} from "@signalbox/signalbox/stats";
import assert from "node:assert/strict";

/** AR(1) latencies: neighbours correlate with 0.9, as queueing makes them. */
function correlatedNoise(length: number, rng: Rng): Float64Array {
  const values = new Float64Array(length);
  let state = 0;
  for (let i = 0; i < length; i++) {
    state = 0.9 * state + Math.sqrt(1 - 0.81) * rng.normal();
    values[i] = state;
  }
  return values;
}

function sampleOf(
  evaluationSeed: number,
  trainingSeed: number,
  baseline: ArrayLike<number>,
  candidate: ArrayLike<number>,
): PairedSample {
  return { evaluationSeed, trainingSeed, baseline, candidate };
}

Deno.test("pairedBlockBootstrap() estimates from the pooled requests themselves", () => {
  const samples = [sampleOf(1, 0, [1, 2, 3], [2, 2, 2]), sampleOf(2, 0, [4, 5, 9], [1, 1, 10])];
  const byMean = pairedBlockBootstrap(samples, new Rng(1));
  assert.equal(byMean.baseline.estimate, 4);
  assert.equal(byMean.candidate.estimate, 3);
  assert.equal(byMean.difference.estimate, -1);
  assert.equal(byMean.relative.estimate, -0.25);
  const byTail = pairedBlockBootstrap(samples, new Rng(1), { statistic: { quantile: 0.9 } });
  assert.equal(byTail.baseline.estimate, quantile([1, 2, 3, 4, 5, 9], 0.9));
  assert.equal(byTail.candidate.estimate, quantile([2, 2, 2, 1, 1, 10], 0.9));
});

Deno.test("pairedBlockBootstrap() resamples quantiles as if the sample were written out", () => {
  // With one block of the whole run every resample is the same multiset: no spread at all.
  const rng = new Rng(5);
  const baseline = correlatedNoise(500, rng);
  const candidate = correlatedNoise(500, rng);
  const { difference } = pairedBlockBootstrap([sampleOf(1, 0, baseline, candidate)], rng, {
    statistic: { quantile: 0.99 },
    blockLength: 500,
  });
  const expected = quantile(candidate, 0.99) - quantile(baseline, 0.99);
  assert.deepEqual(difference, { estimate: expected, low: expected, high: expected });
});

Deno.test("pairedBlockBootstrap() cancels what both policies share", () => {
  const rng = new Rng(6);
  const baseline = correlatedNoise(400, rng).map((value) => value * 100);
  const candidate = baseline.map((value) => value + 0.5);
  const { difference } = pairedBlockBootstrap([sampleOf(1, 0, baseline, candidate)], rng);
  assert.ok(Math.abs(difference.low - 0.5) < 1e-9 && Math.abs(difference.high - 0.5) < 1e-9);
});

Deno.test("pairedBlockBootstrap() covers a zero difference about as often as it says", () => {
  const rng = new Rng(8);
  let covered = 0;
  let coveredAlone = 0;
  for (let k = 0; k < 100; k++) {
    const baseline = correlatedNoise(1000, rng);
    const candidate = correlatedNoise(1000, rng);
    const samples = [sampleOf(1, 0, baseline, candidate)];
    const blocks = pairedBlockBootstrap(samples, rng, { resampleCount: 200, blockLength: 60 });
    const alone = pairedBlockBootstrap(samples, rng, { resampleCount: 200, blockLength: 1 });
    if (blocks.difference.low <= 0 && 0 <= blocks.difference.high) covered++;
    if (alone.difference.low <= 0 && 0 <= alone.difference.high) coveredAlone++;
  }
  assert.ok(covered >= 84, `covered ${covered} of 100`); // 95 less 3 standard errors and the bias
  assert.ok(coveredAlone <= 60, `blocks of one covered ${coveredAlone} of 100`);
});

Deno.test("pairedBlockBootstrap() spreads over training seeds that disagree", () => {
  const flat = new Float64Array(50).fill(10);
  const of = (trainingSeed: number, value: number): PairedSample =>
    sampleOf(1, trainingSeed, flat, new Float64Array(50).fill(value));
  const agreeing = pairedBlockBootstrap([of(1, 8), of(2, 8), of(3, 8)], new Rng(2));
  assert.deepEqual(agreeing.difference, { estimate: -2, low: -2, high: -2 });
  const disagreeing = pairedBlockBootstrap([of(1, 5), of(2, 8), of(3, 11)], new Rng(2));
  assert.equal(disagreeing.difference.estimate, -2);
  // all three draws on one seed happen with probability 1/27 > 2.5 %: the ends are the extremes
  assert.equal(disagreeing.difference.low, -5);
  assert.equal(disagreeing.difference.high, 1);
});

Deno.test("pairedBlockBootstrap() gives the same interval for the same seed", () => {
  const noise = correlatedNoise(300, new Rng(9));
  const samples = [
    sampleOf(2, 1, noise, noise.map((value) => value * 1.1 - 1)),
    sampleOf(1, 1, noise, noise.map(Math.abs)),
  ];
  const first = pairedBlockBootstrap(samples, new Rng(4));
  assert.deepEqual(pairedBlockBootstrap(samples, new Rng(4)), first);
  assert.notDeepEqual(pairedBlockBootstrap(samples, new Rng(5)), first);
  assert.equal(first.baseline.estimate, mean([...noise, ...noise]));
});

Deno.test("pairedBlockBootstrap() gives each policy an interval of its own", () => {
  const rng = new Rng(10);
  const baseline = correlatedNoise(900, rng).map((value) => 20 + value);
  const candidate = baseline.map((value) => value / 2);
  const found = pairedBlockBootstrap([sampleOf(1, 0, baseline, candidate)], rng);
  assert.ok(found.baseline.low < found.baseline.estimate);
  assert.ok(found.baseline.estimate < found.baseline.high);
  assert.ok(Math.abs(found.candidate.low - found.baseline.low / 2) < 1e-12);
  assert.ok(Math.abs(found.candidate.high - found.baseline.high / 2) < 1e-12);
});

Deno.test("pairedBlockBootstrap() leaves relative ends open when a baseline is zero", () => {
  const { difference, relative } = pairedBlockBootstrap(
    [sampleOf(1, 0, [0, 0, 0], [1, 1, 1])],
    new Rng(1),
  );
  assert.equal(difference.low, 1);
  assert.ok(Number.isNaN(relative.low) && Number.isNaN(relative.high));
});

Deno.test("pairedBlockBootstrap() refuses bad arguments", () => {
  const rng = new Rng(1);
  const good = [sampleOf(1, 0, [1, 2], [1, 3])];
  assert.throws(() => pairedBlockBootstrap([], rng), /samples must hold at least one sample/);
  assert.throws(() => pairedBlockBootstrap([sampleOf(1, 0, [1, 2], [1])], rng), {
    name: "RangeError",
    message:
      "Cannot compare policies: samples[0] must hold 2 requests under both policies, current lengths are 2, 1",
  });
  assert.throws(
    () => pairedBlockBootstrap([...good, sampleOf(1, 1, [1], [1])], rng),
    /samples\[1\] must hold 2 requests/,
  );
  assert.throws(
    () => pairedBlockBootstrap([sampleOf(1, 0, [1], [NaN])], rng),
    /samples\[0\]\.candidate\[0\] must be finite, current value is NaN/,
  );
  assert.throws(() => pairedBlockBootstrap(good, rng, { resampleCount: 99 }), /resampleCount/);
  assert.throws(() => pairedBlockBootstrap(good, rng, { blockLength: 0 }), /blockLength/);
  assert.throws(() => pairedBlockBootstrap(good, rng, { confidence: 0 }), /confidence/);
  assert.throws(
    () => pairedBlockBootstrap(good, rng, { statistic: { quantile: 1 } }),
    /statistic\.quantile must be in \(0, 1\), current value is 1/,
  );
});
