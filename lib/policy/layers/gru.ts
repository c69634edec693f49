/**
 * Gated recurrent units over sequences.
 *
 * @module
 */
import type { Rng } from "../../random/mod.ts";
import { tf } from "../_tensorflow.ts";
import { orthogonal } from "../initialization.ts";
import type { ParameterSet } from "../parameters.ts";

/** Parameters of one GRU layer; the three blocks of columns are the reset, update and new gates. */
export interface GruParameters {
  /** `[inputs, 3 * units]`. */
  readonly inputKernel: tf.Variable;
  /** `[3 * units]`. */
  readonly inputBias: tf.Variable;
  /** `[units, 3 * units]`. */
  readonly recurrentKernel: tf.Variable;
  /** `[3 * units]`. */
  readonly recurrentBias: tf.Variable;
}

/** What a GRU layer leaves. */
export interface GruOutput {
  /** Hidden state after every step, `[steps * rows, units]`, time-major. */
  readonly outputs: tf.Tensor2D;
  /** Hidden state after the last step, `[rows, units]`. */
  readonly hiddenState: tf.Tensor2D;
}

/**
 * Adds the four parameters of one layer below `name`. Kernels start orthogonal with gain 1, biases
 * at 0 (spec/practice.md section 3).
 */
export function createGru(
  parameters: ParameterSet,
  name: string,
  { inputs, units, rng }: { readonly inputs: number; readonly units: number; readonly rng: Rng },
): GruParameters {
  const gates = 3 * units;
  const inputKernel = orthogonal(rng, [inputs, gates], 1);
  const recurrentKernel = orthogonal(rng, [units, gates], 1);
  return {
    inputKernel: parameters.add(`${name}.inputKernel`, [inputs, gates], inputKernel),
    inputBias: parameters.add(`${name}.inputBias`, [gates], new Float32Array(gates)),
    recurrentKernel: parameters.add(`${name}.recurrentKernel`, [units, gates], recurrentKernel),
    recurrentBias: parameters.add(`${name}.recurrentBias`, [gates], new Float32Array(gates)),
  };
}

/**
 * One GRU layer over whole sequences, with resets inside them. At every step, with h = keep * h':
 *
 * ```text
 * r = sigmoid(x Wr + br + h Ur + cr)
 * z = sigmoid(x Wz + bz + h Uz + cz)
 * n = tanh(x Wn + bn + r * (h Un + cn))
 * h' = (1 - z) * n + z * h
 * ```
 *
 * Source: Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014), in the
 * variant of cuDNN and PyTorch (reset gate after the product, two biases).
 *
 * @param input `[steps * rows, inputs]`, time-major.
 * @param initialHiddenState `[rows, units]`, before the first step.
 * @param keep `[steps, rows]`: 0 where the hidden state is cleared before the step, else 1.
 */
export function gru(
  input: tf.Tensor2D,
  initialHiddenState: tf.Tensor2D,
  { keep, parameters }: { readonly keep: tf.Tensor2D; readonly parameters: GruParameters },
): GruOutput {
  const [steps, rows] = keep.shape;
  const units = initialHiddenState.shape[1];
  const recurrentKernel = parameters.recurrentKernel as tf.Tensor as tf.Tensor2D;
  const projected = tf.add(
    tf.matMul(input, parameters.inputKernel as tf.Tensor as tf.Tensor2D),
    parameters.inputBias,
  );
  // unstack, not slice: its gradient is one stack, that of a slice a padded copy per step.
  const inputGates = tf.unstack(tf.reshape(projected, [steps, rows, 3 * units]));
  const keepOfStep = tf.unstack(tf.reshape(keep, [steps, rows, 1]));
  let hidden: tf.Tensor2D = initialHiddenState;
  const outputs: tf.Tensor2D[] = [];
  for (let t = 0; t < steps; t++) {
    const previous = tf.mul(hidden, keepOfStep[t]!);
    const recurrent = tf.add(
      tf.matMul(previous as tf.Tensor2D, recurrentKernel),
      parameters.recurrentBias,
    );
    const [inputReset, inputUpdate, inputNew] = tf.split(inputGates[t]!, 3, 1);
    const [hiddenReset, hiddenUpdate, hiddenNew] = tf.split(recurrent, 3, 1);
    const reset = tf.sigmoid(tf.add(inputReset!, hiddenReset!));
    const update = tf.sigmoid(tf.add(inputUpdate!, hiddenUpdate!));
    const candidate = tf.tanh(tf.add(inputNew!, tf.mul(reset, hiddenNew!)));
    hidden = tf.add(candidate, tf.mul(update, tf.sub(previous, candidate)));
    outputs.push(hidden);
  }
  return {
    outputs: tf.reshape(tf.stack(outputs), [steps * rows, units]),
    hiddenState: hidden,
  };
}
