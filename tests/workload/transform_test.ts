import assert from "node:assert/strict";
import fc from "fast-check";
import {
  limitTokens,
  scaleToRate,
  sliceByCount,
  sliceByTime,
  splitByTime,
  summarizeWorkload,
  type Workload,
} from "../../lib/workload/mod.ts";

function workloadOf(arrivals: readonly number[]): Workload {
  return {
    name: "test",
    count: arrivals.length,
    arrivalSeconds: Float64Array.from(arrivals),
    promptTokens: Int32Array.from(arrivals, (_, i) => 10 * (i + 1)),
    outputTokens: Int32Array.from(arrivals, (_, i) => i + 1),
    priority: Int32Array.from(arrivals, (_, i) => -i),
  };
}

Deno.test("scaleToRate() reaches the rate and keeps lengths", () => {
  const workload = workloadOf([2, 3, 3, 10]);
  const scaled = scaleToRate(workload, 7.5);
  // 3 gaps in 8 s are 0.375/s: times shrink by 20.
  assert.deepEqual([...scaled.arrivalSeconds], [
    0.1,
    0.15000000000000002,
    0.15000000000000002,
    0.5,
  ]);
  assert.equal(summarizeWorkload(scaled).ratePerSecond, 7.5);
  assert.equal(scaled.promptTokens, workload.promptTokens);
  assert.deepEqual([...workload.arrivalSeconds], [2, 3, 3, 10]);
});

Deno.test("scaleToRate() refuses a bad rate and a workload without duration", () => {
  for (const rate of [0, -1, Number.NaN, Infinity]) {
    assert.throws(() => scaleToRate(workloadOf([0, 1]), rate), {
      name: "RangeError",
      message: /ratePerSecond must be a finite number > 0/,
    });
  }
  assert.throws(() => scaleToRate(workloadOf([5, 5]), 1), { message: /duration must be > 0 s/ });
  assert.throws(() => scaleToRate(workloadOf([]), 1), { message: /duration must be > 0 s/ });
});

Deno.test("sliceByTime() takes a half-open interval and counts time from its start", () => {
  const slice = sliceByTime(workloadOf([0, 1, 1, 2, 3]), 1, 3);
  assert.deepEqual([...slice.arrivalSeconds], [0, 0, 1]);
  assert.deepEqual([...slice.promptTokens], [20, 30, 40]);
  assert.deepEqual([...slice.priority!], [-1, -2, -3]);
  assert.equal(sliceByTime(workloadOf([0, 1]), 5, 9).count, 0);
  assert.throws(() => sliceByTime(workloadOf([0, 1]), 3, 2), {
    name: "RangeError",
    message: /bounds must be 0 <= start <= end, current values are 3, 2$/,
  });
});

Deno.test("sliceByCount() starts with the gap before the first request", () => {
  const workload = workloadOf([4, 5, 7, 11]);
  assert.deepEqual([...sliceByCount(workload, 2, 2).arrivalSeconds], [2, 6]);
  assert.deepEqual([...sliceByCount(workload, 0, 2).arrivalSeconds], [0, 1]);
  assert.equal(sliceByCount(workload, 4, 0).count, 0);
  assert.throws(() => sliceByCount(workload, 3, 2), {
    message: /must be <= 4, current value is 5/,
  });
  assert.throws(() => sliceByCount(workload, -1, 2), { message: /integers >= 0/ });
});

Deno.test("splitByTime() puts every request into exactly one stretch, in order", () => {
  const arrivals = fc.array(fc.double({ min: 0, max: 1e4, noNaN: true }), { maxLength: 50 })
    .map((values) => values.sort((a, b) => a - b));
  fc.assert(fc.property(
    arrivals,
    fc.integer({ min: 0, max: 10 }),
    fc.integer({ min: 0, max: 10 }),
    (values, a, b) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      const workload = workloadOf(values);
      const { train, validation, test } = splitByTime(workload, {
        trainFraction: low / 10,
        validationFraction: (high - low) / 10,
      });
      assert.deepEqual(
        [...train.promptTokens, ...validation.promptTokens, ...test.promptTokens],
        [...workload.promptTokens],
      );
      for (const part of [train, validation, test]) {
        assert.equal(part.arrivalSeconds.length, part.count);
        assert.ok(
          part.arrivalSeconds.every((seconds, i) =>
            seconds >= (i > 0 ? part.arrivalSeconds[i - 1]! : 0)
          ),
        );
      }
    },
  ));
});

Deno.test("splitByTime() refuses fractions that do not fit", () => {
  const workload = workloadOf([0, 1]);
  assert.throws(() => splitByTime(workload, { trainFraction: 0.7, validationFraction: 0.4 }), {
    name: "RangeError",
    message: /fractions must be >= 0 with a sum <= 1, current values are 0.7, 0.4$/,
  });
  assert.throws(() => splitByTime(workload, { trainFraction: -0.1, validationFraction: 0 }));
});

Deno.test("limitTokens() drops, clips or refuses requests that are too long", () => {
  // Sums 11, 22, 33, 44.
  const workload = workloadOf([0, 1, 2, 3]);
  const dropped = limitTokens(workload, 30, "drop");
  assert.deepEqual([...dropped.arrivalSeconds], [0, 1]);
  assert.deepEqual([...dropped.priority!], [0, -1]);
  const clipped = limitTokens(workload, 30, "clip_prompt");
  assert.deepEqual([...clipped.promptTokens], [10, 20, 27, 26]);
  assert.deepEqual([...clipped.outputTokens], [1, 2, 3, 4]);
  const short = limitTokens(workload, 3, "clip_prompt");
  assert.deepEqual([...short.promptTokens], [2, 1, 1, 1]);
  assert.deepEqual([...short.outputTokens], [1, 2, 2, 2]);
  assert.equal(limitTokens(workload, 44, "refuse"), workload);
  assert.throws(() => limitTokens(workload, 43, "refuse"), {
    name: "RangeError",
    message:
      "Cannot limit a workload: prompt + output tokens must be <= 43, current value is 44 (request 3 of test)",
  });
  assert.throws(() => limitTokens(workload, 1, "drop"), {
    message: /maxTokens must be an integer/,
  });
});

Deno.test("summarizeWorkload() computes moments by hand", () => {
  const summary = summarizeWorkload(workloadOf([0, 1, 4]));
  assert.equal(summary.ratePerSecond, 0.5);
  // Gaps 1 and 3: mean 2, sample deviation sqrt 2.
  assert.ok(Math.abs(summary.interArrivalCv - Math.SQRT2 / 2) < 1e-15);
  assert.deepEqual(summary.promptTokens, { mean: 20, p50: 20, p95: 29 });
  assert.ok(Number.isNaN(summarizeWorkload(workloadOf([3])).ratePerSecond));
  assert.throws(() => summarizeWorkload(workloadOf([])), { message: /count must be >= 1/ });
});

Deno.test("Every transformation keeps each request's own prefix hashes", () => {
  // Prompts of 10, 20, 30 and 40 tokens in blocks of 16.
  const workload: Workload = {
    ...workloadOf([0, 1, 2, 3]),
    prefixHashes: {
      blockTokens: 16,
      starts: Int32Array.of(0, 1, 3, 5, 8),
      hashes: Int32Array.of(10, 20, 21, 30, 31, 40, 41, 42),
    },
  };
  const rows = ({ count, prefixHashes }: Workload): number[][] => {
    const { starts, hashes, blockTokens } = prefixHashes!;
    assert.equal(blockTokens, 16);
    assert.equal(starts.length, count + 1);
    return Array.from(
      { length: count },
      (_, i) => [...hashes.subarray(starts[i], starts[i + 1])],
    );
  };
  const all = [[10], [20, 21], [30, 31], [40, 41, 42]];
  assert.deepEqual(rows(scaleToRate(workload, 2)), all);
  assert.deepEqual(rows(sliceByTime(workload, 1, 3)), [[20, 21], [30, 31]]);
  assert.deepEqual(rows(sliceByCount(workload, 3, 1)), [[40, 41, 42]]);
  const { train, test } = splitByTime(workload, { trainFraction: 0.5, validationFraction: 0 });
  assert.deepEqual([...rows(train), ...rows(test)], all);
  assert.deepEqual(rows(limitTokens(sliceByCount(workload, 1, 3), 35, "drop")), [
    [20, 21],
    [30, 31],
  ]);
  // Clipped to 32 and 31 tokens, the two longest prompts have no third block.
  assert.deepEqual(rows(limitTokens(workload, 35, "clip_prompt")), [
    [10],
    [20, 21],
    [30, 31],
    [40, 41],
  ]);
  assert.equal(sliceByCount(workloadOf([0, 1]), 0, 1).prefixHashes, undefined);
});
