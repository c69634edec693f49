import fc from "fast-check";
import assert from "node:assert/strict";
import { normalizerSchema, RunningNormalizer } from "../../lib/state/mod.ts";
import { assertAllClose } from "../_helpers.ts";

const options = normalizerSchema.parse({});

/** z of one row, as plain numbers. */
function normalized(normalizer: RunningNormalizer, ...row: number[]): number[] {
  return [...normalizer.normalize(Float32Array.from(row), new Float32Array(row.length))];
}

Deno.test("RunningNormalizer equals a two-pass mean and standard deviation", () => {
  const rows = fc.array(fc.tuple(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), fc.nat(9)), {
    minLength: 2,
    maxLength: 50,
  });
  fc.assert(fc.property(rows, (data) => {
    const normalizer = new RunningNormalizer(2, options);
    normalizer.update(data.flat());
    for (const d of [0, 1]) {
      const column = data.map((row) => row[d]!);
      const mean = column.reduce((sum, x) => sum + x, 0) / column.length;
      const squares = column.reduce((sum, x) => sum + (x - mean) ** 2, 0);
      const floor = Math.max(1e-3, 0.01 * Math.abs(mean));
      const std = Math.max(Math.sqrt(squares / (column.length - 1)), floor);
      // 50 additions of values up to 1e6 in double precision.
      assertAllClose([normalizer.means()[d]!], [mean], { rtol: 1e-12, atol: 1e-8 });
      assertAllClose([normalizer.stds()[d]!], [std], { rtol: 1e-9, atol: 1e-9 });
    }
  }));
});

Deno.test("RunningNormalizer gives the same statistics row by row and as one batch", () => {
  const whole = new RunningNormalizer(2, options);
  const stepwise = new RunningNormalizer(2, options);
  whole.update([1, 10, 2, 20, 4, 40]);
  for (const row of [[1, 10], [2, 20], [4, 40]]) stepwise.update(row);
  assert.deepEqual(whole.toJSON(), stepwise.toJSON());
});

Deno.test("RunningNormalizer clips raw values before any sample and takes std >= 1 before minCount", () => {
  const normalizer = new RunningNormalizer(1, options);
  assert.deepEqual(normalized(normalizer, 3), [3]);
  assert.deepEqual(normalized(normalizer, -300), [-5]);
  normalizer.update([2]);
  assert.deepEqual(normalized(normalizer, 2.5), [0.5]);
});

Deno.test("RunningNormalizer maps a constant to exactly 0 and its first change to no spike", () => {
  const normalizer = new RunningNormalizer(1, options);
  for (let i = 0; i < 1000; i++) {
    normalizer.update(Float32Array.of(0.1));
    assert.deepEqual(normalized(normalizer, 0.1), [0]);
  }
  const large = new RunningNormalizer(1, options);
  for (let i = 0; i < 1000; i++) large.update([7424]);
  // The floor is one per cent of the mean: 37.12 blocks are half a standard deviation.
  assertAllClose(normalized(large, 7424 + 37.12), [0.5], { rtol: 1e-4 });
});

Deno.test("RunningNormalizer shares a statistic between dimensions of one slot", () => {
  const normalizer = new RunningNormalizer(3, options, Int32Array.of(0, 0, 1));
  normalizer.update([1, 5, 100]);
  normalizer.update([3, 7, 100]);
  // 1, 5, 3, 7: mean 4, sum of squares 20 over 3.
  assert.deepEqual([...normalizer.means()], [4, 4, 100]);
  assertAllClose(normalizer.stds(), [Math.sqrt(20 / 3), Math.sqrt(20 / 3), 1], { rtol: 1e-15 });
  const [first, second] = normalized(normalizer, 6, 6, 100);
  assert.equal(first, second);
});

Deno.test("RunningNormalizer.withSlots() shares statistics, and the freeze, with rows of another width", () => {
  const pair = new RunningNormalizer(3, options, Int32Array.of(0, 0, 1));
  const triple = pair.withSlots(Int32Array.of(0, 0, 0, 1));
  pair.update([1, 5, 100]);
  triple.update([3, 7, 9, 100]);
  // 1, 5, 3, 7, 9: mean 5, sum of squares 40 over 4.
  for (const [each, width] of [[pair, 2], [triple, 3]] as const) {
    assert.deepEqual([...each.means()], [...new Array(width).fill(5), 100]);
    assertAllClose([each.stds()[0]!], [Math.sqrt(10)], { rtol: 1e-15 });
  }
  assert.deepEqual(
    normalized(triple, 1, 2, 3, 4).slice(0, 2),
    normalized(pair, 1, 2, 4).slice(0, 2),
  );
  triple.freeze();
  assert.throws(() => pair.update([1, 2, 3]), { name: "UsageError" });
  assert.throws(() => pair.withSlots(Int32Array.of(0, 2)), {
    name: "RangeError",
    message: "Cannot share statistics: slots must be integers below 2, current value is 2",
  });
});

Deno.test("RunningNormalizer.normalize() handles batches, in place, and never clips in between", () => {
  const normalizer = new RunningNormalizer(2, { ...options, clip: 1 });
  normalizer.update([0, 0, 2, 20]);
  const batch = Float32Array.of(1, 10, 2, 20, 100, -100);
  const out = normalizer.normalize(batch, batch);
  assert.equal(out, batch);
  assertAllClose(out, [0, 0, Math.SQRT1_2, Math.SQRT1_2, 1, -1], { rtol: 1e-7 });
});

Deno.test("RunningNormalizer.freeze() stops updates but not normalising", () => {
  const normalizer = new RunningNormalizer(1, options);
  normalizer.update([0, 2]);
  normalizer.freeze();
  const before = JSON.stringify(normalizer);
  normalized(normalizer, 1);
  assert.equal(JSON.stringify(normalizer), before);
  assert.throws(() => normalizer.update([1]), {
    name: "UsageError",
    message: "Cannot update a normalizer: its statistics are frozen",
  });
});

Deno.test("RunningNormalizer.fromJSON() restores bit for bit, the freeze included", () => {
  const normalizer = new RunningNormalizer(3, options, Int32Array.of(0, 1, 0));
  normalizer.update([0.1, 0.2, 0.3, 1e-9, -7, 1 / 3]);
  normalizer.freeze();
  const copy = RunningNormalizer.fromJSON(JSON.parse(JSON.stringify(normalizer)), options);
  assert.deepEqual(copy.toJSON(), normalizer.toJSON());
  assert.deepEqual(normalized(copy, 1, 2, 3), normalized(normalizer, 1, 2, 3));
  assert.ok(copy.frozen);
  const broken = { ...normalizer.toJSON(), mean: [1] };
  assert.throws(() => RunningNormalizer.fromJSON(broken, options), {
    name: "RangeError",
    message: "Cannot restore a normalizer: mean must have length 2, current value is 1",
  });
});

Deno.test("RunningNormalizer refuses shapes that do not fit and values that are not finite", () => {
  const normalizer = new RunningNormalizer(2, options);
  assert.throws(() => normalizer.update([1, 2, 3]), {
    name: "RangeError",
    message: /multiple of 2/,
  });
  assert.throws(() => normalizer.update([1, NaN]), {
    name: "RangeError",
    message: "Cannot update a normalizer: dimension 1 must be finite, current value is NaN",
  });
  assert.throws(() => normalizer.normalize(new Float32Array(2), new Float32Array(4)), {
    name: "RangeError",
    message: "Cannot normalize: out must have length 2, current value is 4",
  });
  assert.throws(() => new RunningNormalizer(0, options), { name: "RangeError" });
  assert.throws(() => new RunningNormalizer(2, options, Int32Array.of(0)), { name: "RangeError" });
});

Deno.test("RunningNormalizer.update() leaves the statistics alone when it refuses a batch", () => {
  const normalizer = new RunningNormalizer(2, options);
  normalizer.update([1, 2]);
  const before = JSON.stringify(normalizer);
  assert.throws(() => normalizer.update([5, 6, 7, Infinity]), { name: "RangeError" });
  assert.equal(JSON.stringify(normalizer), before);
});
