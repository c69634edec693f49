import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { assertAllClose } from "../_helpers.ts";
import { normals, testOnBackends } from "./_simd.ts";

const SHAPE = [3, 5, 7];
const VALUES = normals(105, 1);

/** Groups of the values that one output sees, for every choice of axes. */
function groups(axes: readonly number[]): number[][] {
  const result = new Map<string, number[]>();
  VALUES.forEach((value, flat) => {
    const index = [Math.floor(flat / 35), Math.floor(flat / 7) % 5, flat % 7];
    const key = index.filter((_, axis) => !axes.includes(axis)).join();
    result.set(key, [...(result.get(key) ?? []), value]);
  });
  return [...result.values()];
}

const REDUCTIONS: readonly [string, typeof tf.sum, (values: number[]) => number][] = [
  ["sum", tf.sum, (values) => values.reduce((sum, value) => sum + value, 0)],
  ["mean", tf.mean, (values) => values.reduce((sum, value) => sum + value, 0) / values.length],
  ["max", tf.max, (values) => Math.max(...values)],
  ["min", tf.min, (values) => Math.min(...values)],
];

for (const [name, f, reference] of REDUCTIONS) {
  testOnBackends(`${name}() reduces any axes`, () => {
    for (const axes of [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]]) {
      for (const keepDims of [false, true]) {
        const result = f(tf.tensor(VALUES, SHAPE), axes, keepDims);
        const shape = SHAPE.flatMap((size, axis) =>
          axes.includes(axis) ? keepDims ? [1] : [] : [size]
        );
        assert.deepEqual(result.shape, shape);
        assertAllClose(result.dataSync(), groups(axes).map(reference), {
          rtol: 1e-5,
          atol: 1e-5,
        });
      }
    }
  });
}

testOnBackends("reductions of long rows use every entry once", () => {
  for (const n of [1, 3, 4, 15, 16, 17, 63, 100, 1001]) {
    const values = Array.from({ length: n }, (_, i) => i + 1);
    const x = tf.tensor1d(values);
    assert.equal(tf.sum(x).dataSync()[0], n * (n + 1) / 2);
    assert.equal(tf.max(x).dataSync()[0], n);
    assert.equal(tf.min(tf.neg(x)).dataSync()[0], -n);
  }
});

testOnBackends("reductions pass NaN on", () => {
  const x = tf.tensor2d([[1, NaN, 2, 3, 4], [1, 1, 1, 1, 1]]);
  assert.deepEqual([...tf.sum(x, 1).dataSync()], [NaN, 5]);
  assert.deepEqual([...tf.max(x, 1).dataSync()], [NaN, 1]);
});

testOnBackends("softmax() and logSoftmax() equal float64 and survive large logits", () => {
  for (const n of [1, 3, 4, 5, 11]) {
    const values = normals(3 * n, 2).map((value) => Math.fround(30 * value));
    values[0] = 3e38;
    const logits = tf.tensor2d(values, [3, n]);
    const expected: number[] = [];
    for (let r = 0; r < 3; r++) {
      const row = values.slice(r * n, (r + 1) * n);
      const largest = Math.max(...row);
      const total = row.reduce((sum, value) => sum + Math.exp(value - largest), 0);
      expected.push(...row.map((value) => value - largest - Math.log(total)));
    }
    assertAllClose(tf.logSoftmax(logits).dataSync(), expected, { rtol: 1e-6, atol: 1e-6 });
    assertAllClose(tf.softmax(logits).dataSync(), expected.map(Math.exp), { atol: 1e-6 });
  }
});

testOnBackends("softmax() of a row without a finite logit is NaN, as IEEE says", () => {
  const logits = tf.tensor2d([[-Infinity, -Infinity], [0, -Infinity]]);
  assert.deepEqual([...tf.softmax(logits).dataSync()], [NaN, NaN, 1, 0]);
  assert.deepEqual([...tf.logSoftmax(logits).dataSync()], [NaN, NaN, 0, -Infinity]);
});
