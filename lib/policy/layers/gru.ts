/**
 * Gated recurrent units over sequences.
 *
 * @module
 */
import { gruSequence } from "../../kernels/mod.ts";
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
  const outputs = gruSequence(input, initialHiddenState, keep, parameters);
  const hiddenState = tf.slice(outputs, [(steps - 1) * rows, 0], [rows, -1]);
  return { outputs, hiddenState };
}
