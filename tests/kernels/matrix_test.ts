import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { assertAllClose } from "../_helpers.ts";
import { normals, testOnBackends } from "./_simd.ts";

/** Sizes around the block sizes of the kernel: 6 rows, 8 columns, 256 inner. */
const SIZE = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(24, 33, 48, 255, 257));

/** Products of normals: rounding grows with the root of the length, about 1e-7 sqrt(k) here. */
const PRODUCT = { rtol: 1e-5, atol: 2e-5 };

function productFloat64(a: number[], b: number[], m: number, n: number, k: number): number[] {
  const c = new Array<number>(m * n).fill(0);
  for (let i = 0; i < m; i++) {
    for (let l = 0; l < k; l++) {
      for (let j = 0; j < n; j++) c[i * n + j]! += a[i * k + l]! * b[l * n + j]!;
    }
  }
  return c;
}

function transposed(values: number[], rows: number, columns: number): number[] {
  return Array.from(
    { length: values.length },
    (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!,
  );
}

testOnBackends("matMul equals float64 in all transpositions when sizes are odd", () => {
  fc.assert(
    fc.property(SIZE, SIZE, SIZE, fc.boolean(), fc.boolean(), (m, n, k, ta, tb) => {
      const a = normals(m * k, 1);
      const b = normals(k * n, 2);
      const values = tf.tidy(() => {
        const left = ta ? tf.tensor2d(transposed(a, m, k), [k, m]) : tf.tensor2d(a, [m, k]);
        const right = tb ? tf.tensor2d(transposed(b, k, n), [n, k]) : tf.tensor2d(b, [k, n]);
        return tf.tensor1d(tf.matMul(left, right, ta, tb).dataSync());
      });
      assertAllClose(values.dataSync(), productFloat64(a, b, m, n, k), PRODUCT);
      values.dispose();
    }),
    { numRuns: 60, seed: 1 },
  );
});

testOnBackends("matMul repeats a single matrix over a batch", () => {
  const [m, n, k] = [3, 5, 4];
  const a = normals(2 * m * k, 3);
  const b = normals(k * n, 4);
  const product = tf.matMul(tf.tensor3d(a, [2, m, k]), tf.tensor3d(b, [1, k, n]));
  assert.deepEqual(product.shape, [2, m, n]);
  const expected = [a.slice(0, m * k), a.slice(m * k)].flatMap((half) =>
    productFloat64(half, b, m, n, k)
  );
  assertAllClose(product.dataSync(), expected, PRODUCT);
});

testOnBackends("matMul of no rows or no inner dimension gives no rows, or zeros", () => {
  assert.deepEqual(tf.matMul(tf.zeros([0, 3]), tf.zeros([3, 2])).shape, [0, 2]);
  const empty = tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3]));
  assert.deepEqual([...empty.dataSync()], [0, 0, 0, 0, 0, 0]);
});

testOnBackends("matMul passes NaN and infinities on, and only to their rows", () => {
  const a = tf.tensor2d([[NaN, 1], [Infinity, 1], [2, 1]]);
  const b = tf.tensor2d([[1], [1]]);
  assert.deepEqual([...tf.matMul(a, b).dataSync()], [NaN, Infinity, 3]);
});

testOnBackends("matMul has tfjs's gradients", () => {
  const [m, n, k] = [5, 7, 9];
  const gradients = tf.grads((a: tf.Tensor, b: tf.Tensor) =>
    tf.sum(tf.square(tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D)))
  );
  const a = normals(m * k, 5);
  const b = normals(k * n, 6);
  const [da, db] = gradients([tf.tensor2d(a, [m, k]), tf.tensor2d(b, [k, n])]);
  const doubled = productFloat64(a, b, m, n, k).map((value) => 2 * value);
  const tolerance = { rtol: 1e-4, atol: 1e-4 };
  assertAllClose(
    da!.dataSync(),
    productFloat64(doubled, transposed(b, k, n), m, k, n),
    tolerance,
  );
  assertAllClose(
    db!.dataSync(),
    productFloat64(transposed(a, m, k), doubled, k, n, m),
    tolerance,
  );
});

testOnBackends("fused matMul adds the bias and applies the activation", () => {
  const fused = (activation: "linear" | "relu" | "sigmoid" | "elu") =>
    tf.fused.matMul({
      a: tf.tensor2d([[1, 2]]),
      b: tf.tensor2d([[1, -1], [1, -1]]),
      bias: tf.tensor1d([1, 1]),
      activation,
    }).dataSync();
  assert.deepEqual([...fused("linear")], [4, -2]);
  assert.deepEqual([...fused("relu")], [4, 0]);
  assertAllClose(fused("sigmoid"), [1 / (1 + Math.exp(-4)), 1 / (1 + Math.exp(2))], {
    rtol: 1e-6,
  });
  // Not ours: left to tfjs.
  assertAllClose(fused("elu"), [4, Math.exp(-2) - 1], { rtol: 1e-6 });
});

testOnBackends("transpose() swaps rows and columns of any size", () => {
  for (const [rows, columns] of [[1, 1], [4, 4], [5, 9], [8, 3], [1, 7]] as const) {
    const values = normals(rows * columns, 7);
    const result = tf.transpose(tf.tensor2d(values, [rows, columns]));
    assert.deepEqual(result.shape, [columns, rows]);
    assert.deepEqual([...result.dataSync()], transposed(values, rows, columns));
  }
});
