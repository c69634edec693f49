import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { clip, maximum, minimum, positivePart } from "../../lib/policy/mod.ts";
import { normals } from "./_policies.ts";

/** Value and gradients of a sum, as arrays. */
function differentiate(f: (...args: tf.Tensor[]) => tf.Tensor, args: tf.Tensor[]): number[][] {
  return tf.tidy(() => {
    const weights = tf.tensor(normals(24, 99));
    const { value, grads } = tf.valueAndGrads((...args) => {
      const flat = f(...args).flatten();
      return tf.sum(tf.mul(flat, weights.slice(0, flat.size))) as tf.Scalar;
    })(args);
    return [value, ...grads].map((tensor) => [...tensor.dataSync()]);
  });
}

/** Fails unless value and gradients are those of the tfjs function; -0 counts as 0. */
function assertSame(
  ours: (...args: tf.Tensor[]) => tf.Tensor,
  theirs: (...args: tf.Tensor[]) => tf.Tensor,
  args: tf.Tensor[],
): void {
  const [actual, expected] = [ours, theirs].map((f) =>
    differentiate(f, args).map((values) => values.map((value) => value + 0))
  );
  assert.deepEqual(actual, expected);
}

/** Numbers with ties, borders and tiny differences. */
const A = [1, -2, 0.5, 0, 3, -0.25, 1e-20, 2];
const B = [1, -1, 0.5, -0, 2.9999998, -0.25, 0, 3];

Deno.test("minimum(), maximum(), clip() and positivePart() have tfjs's values and gradients", () => {
  const [a, b] = [tf.tensor1d(A), tf.tensor1d(B)];
  assertSame((a, b) => minimum(a!, b!), (a, b) => tf.minimum(a!, b!), [a, b]);
  assertSame((a, b) => maximum(a!, b!), (a, b) => tf.maximum(a!, b!), [a, b]);
  assertSame((a) => clip(a!, -0.25, 0.5), (a) => tf.clipByValue(a!, -0.25, 0.5), [a]);
  assertSame((a) => positivePart(a!), (a) => tf.relu(a!), [a]);
});
