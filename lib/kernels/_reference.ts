/** The fused layers in plain tfjs operations: for other backends, and what the kernels must equal. */
import { tf } from "./_tensorflow.ts";
import type { FusedActivation, GruWeights } from "./layers.ts";

export function referenceGelu<T extends tf.Tensor>(x: T): T {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)) as T;
}

function activate(x: tf.Tensor2D, activation: FusedActivation): tf.Tensor2D {
  switch (activation) {
    case "linear":
      return x;
    case "relu":
      return tf.relu(x);
    case "tanh":
      return tf.tanh(x);
    case "gelu":
      return referenceGelu(x);
  }
}

export function referenceDense(
  x: tf.Tensor2D,
  kernel: tf.Tensor,
  bias: tf.Tensor,
  activation: FusedActivation,
): tf.Tensor2D {
  return activate(tf.add(tf.matMul(x, kernel as tf.Tensor2D), bias), activation);
}

export function referenceLayerNorm(
  x: tf.Tensor2D,
  gain: tf.Tensor,
  bias: tf.Tensor,
  { epsilon, activation }: { readonly epsilon: number; readonly activation: FusedActivation },
): tf.Tensor2D {
  const centered = tf.sub(x, tf.mean(x, 1, true));
  const variance = tf.mean(tf.square(centered), 1, true);
  const normal = tf.mul(centered, tf.rsqrt(tf.add(variance, epsilon)));
  return activate(tf.add(tf.mul(normal, gain), bias), activation);
}

export function referenceGruSequence(
  input: tf.Tensor2D,
  initialHiddenState: tf.Tensor2D,
  keep: tf.Tensor2D,
  weights: GruWeights,
): tf.Tensor2D {
  const [steps, rows] = keep.shape;
  const units = initialHiddenState.shape[1];
  const recurrentKernel = weights.recurrentKernel as tf.Tensor2D;
  const projected = tf.add(
    tf.matMul(input, weights.inputKernel as tf.Tensor2D),
    weights.inputBias,
  );
  const inputGates = cutSteps(tf.reshape(projected, [steps, rows, 3 * units]));
  const keepOfStep = cutSteps(tf.reshape(keep, [steps, rows, 1]));
  let hidden: tf.Tensor2D = initialHiddenState;
  const outputs: tf.Tensor2D[] = [];
  for (let t = 0; t < steps; t++) {
    const kept = tf.mul(hidden, keepOfStep[t]!) as tf.Tensor2D;
    const recurrent = tf.add(tf.matMul(kept, recurrentKernel), weights.recurrentBias);
    const [inputReset, inputUpdate, inputNew] = tf.split(inputGates[t]!, 3, 1);
    const [stateReset, stateUpdate, stateNew] = tf.split(recurrent, 3, 1);
    const reset = tf.sigmoid(tf.add(inputReset!, stateReset!));
    const update = tf.sigmoid(tf.add(inputUpdate!, stateUpdate!));
    const candidate = tf.tanh(tf.add(inputNew!, tf.mul(reset, stateNew!)));
    hidden = tf.add(candidate, tf.mul(update, tf.sub(kept, candidate)));
    outputs.push(hidden);
  }
  return tf.reshape(tf.stack(outputs), [steps * rows, units]);
}

/**
 * A sequence cut into its steps. By unstack, not slice: its gradient is one stack, that of a slice a
 * padded copy per step. But tfjs's unstack into one has no gradient.
 */
function cutSteps(sequence: tf.Tensor3D): tf.Tensor[] {
  return sequence.shape[0] === 1 ? [tf.squeeze(sequence, [0])] : tf.unstack(sequence);
}
