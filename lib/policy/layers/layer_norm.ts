/**
 * Layer normalisation.
 *
 * @module
 */
import { type FusedActivation, fusedLayerNorm } from "../../kernels/mod.ts";
import type { tf } from "../_tensorflow.ts";
import type { ParameterSet } from "../parameters.ts";

/** Added to the variance; PyTorch's default. */
const EPSILON = 1e-5;

/** Parameters of a layer normalisation. */
export interface LayerNormParameters {
  /** `[features]`, starts at 1. */
  readonly gain: tf.Variable;
  /** `[features]`, starts at 0. */
  readonly bias: tf.Variable;
}

/** Adds `<name>.gain` and `<name>.bias` to the set. */
export function createLayerNorm(
  parameters: ParameterSet,
  name: string,
  features: number,
): LayerNormParameters {
  return {
    gain: parameters.add(`${name}.gain`, [features], new Float32Array(features).fill(1)),
    bias: parameters.add(`${name}.bias`, [features], new Float32Array(features)),
  };
}

/**
 * activation(gain * (x - mean) / sqrt(variance + 1e-5) + bias) over the last axis, with the
 * population variance.
 *
 * Source: Ba, Kiros and Hinton, "Layer Normalization" (2016), equation 4.
 *
 * @param input `[rows, features]`.
 * @returns `[rows, features]`.
 */
export function layerNorm(
  input: tf.Tensor2D,
  { gain, bias }: LayerNormParameters,
  activation: FusedActivation = "linear",
): tf.Tensor2D {
  return fusedLayerNorm(input, gain, bias, { epsilon: EPSILON, activation });
}
