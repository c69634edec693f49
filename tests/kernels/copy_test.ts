import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { simdBackend, testOnBackends } from "./_simd.ts";

const CUBE = Array.from({ length: 24 }, (_, i) => i);

testOnBackends("slice(), split() and concat() move the right values along every axis", () => {
  const x = tf.tensor3d(CUBE, [2, 3, 4]);
  for (let axis = 0; axis < 3; axis++) {
    const size = x.shape[axis]!;
    const parts = tf.split(x, [1, size - 1], axis);
    assert.equal(parts[0]!.shape[axis], 1);
    assert.deepEqual([...tf.concat(parts, axis).dataSync()], CUBE);
  }
  assert.deepEqual([...tf.slice(x, [1, 0, 0], [1, -1, -1]).dataSync()], CUBE.slice(12));
  assert.deepEqual([...tf.slice(x, [0, 1, 0], [-1, 1, -1]).dataSync()], [
    ...CUBE.slice(4, 8),
    ...CUBE.slice(16, 20),
  ]);
  // Two axes at once: left to tfjs.
  assert.deepEqual([...tf.slice(x, [0, 1, 1], [2, 1, 2]).dataSync()], [5, 6, 17, 18]);
});

testOnBackends("slices stay when their source is disposed of", () => {
  const x = tf.add(tf.tensor1d([1, 2, 3, 4]), 0) as tf.Tensor1D;
  const part = tf.slice(x, 1, 2);
  x.dispose();
  tf.add(tf.tensor1d([9, 9, 9, 9]), 0);
  assert.deepEqual([...part.dataSync()], [2, 3]);
});

testOnBackends("dataSync() hands out a copy that later kernels do not overwrite", () => {
  const x = tf.add(tf.tensor1d([1, 2]), 0);
  const values = x.dataSync();
  x.dispose();
  tf.add(tf.tensor1d([5, 6]), 0);
  assert.deepEqual([...values], [1, 2]);
  assert.ok(!(values.buffer instanceof SharedArrayBuffer));
});

testOnBackends("a user's array is not written to", () => {
  const values = new Float32Array([1, 2, 3]);
  const x = tf.tensor1d(values);
  assert.deepEqual([...tf.relu(tf.neg(x)).dataSync()], [0, 0, 0]);
  assert.deepEqual([...values], [1, 2, 3]);
});

testOnBackends("reshaped and cloned tensors share memory until the last is disposed of", () => {
  const before = simdBackend().heapBytes.used;
  const x = tf.add(tf.tensor1d([1, 2, 3, 4]), 0);
  const matrix = tf.reshape(x, [2, 2]);
  const copy = matrix.clone();
  x.dispose();
  matrix.dispose();
  tf.add(tf.tensor1d([9, 9, 9, 9]), 0).dispose();
  assert.deepEqual([...copy.dataSync()], [1, 2, 3, 4]);
  copy.dispose();
  assert.ok(simdBackend().heapBytes.used - before <= 256); // the two literals and the two scalars
});

testOnBackends("tensors move to tfjs's cpu backend and back", () => {
  const name = tf.getBackend();
  const x = tf.add(tf.tensor1d([1, 2]), 1);
  tf.setBackend("cpu");
  const y = tf.mul(x, 2);
  tf.setBackend(name);
  assert.deepEqual([...tf.add(y, 1).dataSync()], [5, 7]);
});
