/**
 * Fully connected layer.
 *
 * @module
 */
import { type FusedActivation, fusedDense } from "../../kernels/mod.ts";
import type { Rng } from "../../random/mod.ts";
import type { tf } from "../_tensorflow.ts";
import { orthogonal } from "../initialization.ts";
import type { ParameterSet } from "../parameters.ts";

/** Parameters of a fully connected layer. */
export interface DenseParameters {
  /** `[inputs, outputs]`. */
  readonly kernel: tf.Variable;
  /** `[outputs]`. */
  readonly bias: tf.Variable;
}

/** Shape and initial scale of a fully connected layer. */
export interface DenseShape {
  /** Width of the input. */
  readonly inputs: number;
  /** Width of the output. */
  readonly outputs: number;
  /** Gain of the orthogonal initial kernel; the bias starts at 0. */
  readonly gain: number;
}

/** Adds `<name>.kernel` and `<name>.bias` to the set. */
export function createDense(
  parameters: ParameterSet,
  name: string,
  { inputs, outputs, gain, rng }: DenseShape & { readonly rng: Rng },
): DenseParameters {
  const kernel = orthogonal(rng, [inputs, outputs], gain);
  return {
    kernel: parameters.add(`${name}.kernel`, [inputs, outputs], kernel),
    bias: parameters.add(`${name}.bias`, [outputs], new Float32Array(outputs)),
  };
}

/**
 * activation(input . kernel + bias).
 *
 * @param input `[rows, inputs]`.
 * @returns `[rows, outputs]`.
 */
export function dense(
  input: tf.Tensor2D,
  { kernel, bias }: DenseParameters,
  activation: FusedActivation = "linear",
): tf.Tensor2D {
  return fusedDense(input, kernel, bias, activation);
}
