/**
 * Differentiable fused layers: one kernel on the `simd` backend, plain tfjs operations elsewhere.
 *
 * @module
 */
import { tf } from "./_tensorflow.ts";
import {
  referenceDense,
  referenceGelu,
  referenceGruSequence,
  referenceLayerNorm,
} from "./_reference.ts";
import type { InPlaceActivation } from "./tfjs/fused.ts";
import { runKernel } from "./tfjs/gradients.ts";

/** Nonlinearity of a layer; `gelu` is the exact form x Phi(x). */
export type FusedActivation = "linear" | "relu" | "tanh" | "gelu";

/** Weights of {@linkcode gruSequence}; columns are the reset, update and new gates, in this order. */
export interface GruWeights {
  /** `[features, 3 * units]`. */
  readonly inputKernel: tf.Tensor;
  /** `[3 * units]`. */
  readonly inputBias: tf.Tensor;
  /** `[units, 3 * units]`. */
  readonly recurrentKernel: tf.Tensor;
  /** `[3 * units]`. */
  readonly recurrentBias: tf.Tensor;
}

/**
 * x Phi(x) with the Gaussian distribution function Phi, elementwise.
 *
 * Source: Hendrycks and Gimpel, "Gaussian error linear units" (2016); the exact form, as PyTorch's
 * default.
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  return hasFused("Gelu") ? runKernel<tf.Tensor>("Gelu", { x }) as T : referenceGelu(x);
}

/**
 * activation(x kernel + bias).
 *
 * @param x `[rows, inputs]`, float32.
 * @param kernel `[inputs, outputs]`.
 * @param bias `[outputs]`.
 * @returns `[rows, outputs]`, new.
 * @throws {RangeError} When the shapes do not fit together.
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { fusedDense, registerSimdBackend } from "@signalbox/signalbox/kernels";
 * import assert from "node:assert/strict";
 *
 * await tf.setBackend(registerSimdBackend());
 * const y = fusedDense(tf.tensor2d([[1, -2]]), tf.tensor2d([[3], [4]]), tf.tensor1d([1]), "relu");
 * assert.deepEqual([...y.dataSync()], [0]); // 3 - 8 + 1 < 0
 * ```
 */
export function fusedDense(
  x: tf.Tensor2D,
  kernel: tf.Tensor,
  bias: tf.Tensor,
  activation: FusedActivation = "linear",
): tf.Tensor2D {
  requireShape("dense", "kernel", kernel, [x.shape[1], bias.size]);
  if (!hasFused("Dense")) return referenceDense(x, kernel, bias, activation);
  // The slope of GELU needs its input, so that it is a step of its own.
  const inPlace: InPlaceActivation = activation === "gelu" ? "linear" : activation;
  const y = runKernel<tf.Tensor2D>("Dense", { x, kernel, bias }, { activation: inPlace });
  return activation === "gelu" ? gelu(y) : y;
}

/** Options of {@linkcode fusedLayerNorm}. */
export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5, as PyTorch. */
  readonly epsilon?: number;
  /** Default `"linear"`. */
  readonly activation?: FusedActivation;
}

/**
 * activation(gain * (x - mean) / sqrt(variance + epsilon) + bias) with the mean and the population
 * variance of each row.
 *
 * Source: Ba, Kiros and Hinton, "Layer normalization" (2016), equation 4.
 *
 * @param x `[rows, features]`, float32.
 * @param gain `[features]`.
 * @param bias `[features]`.
 * @returns `[rows, features]`, new.
 * @throws {RangeError} When the shapes do not fit together.
 */
export function fusedLayerNorm(
  x: tf.Tensor2D,
  gain: tf.Tensor,
  bias: tf.Tensor,
  options: LayerNormOptions = {},
): tf.Tensor2D {
  const { epsilon = 1e-5, activation = "linear" } = options;
  requireShape("layer normalisation", "gain", gain, [x.shape[1]]);
  requireShape("layer normalisation", "bias", bias, [x.shape[1]]);
  if (!hasFused("LayerNorm")) return referenceLayerNorm(x, gain, bias, { epsilon, activation });
  const inPlace: InPlaceActivation = activation === "gelu" ? "linear" : activation;
  const attrs = { epsilon, activation: inPlace };
  const y = runKernel<tf.Tensor2D>("LayerNorm", { x, gain, bias }, attrs);
  return activation === "gelu" ? gelu(y) : y;
}

/**
 * A GRU layer over whole sequences, with resets inside them. At every step, with h = keep * h':
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
 * @param input `[steps * rows, features]`, time-major: row `t * rows + b`.
 * @param initialHiddenState `[rows, units]`, before the first step.
 * @param keep `[steps, rows]`: 0 where the hidden state is cleared before the step, else 1. Not
 * differentiated.
 * @returns Hidden state after every step, `[steps * rows, units]`, time-major.
 * @throws {RangeError} When the shapes do not fit together.
 */
export function gruSequence(
  input: tf.Tensor2D,
  initialHiddenState: tf.Tensor2D,
  keep: tf.Tensor2D,
  weights: GruWeights,
): tf.Tensor2D {
  const [steps, rows] = keep.shape;
  const units = initialHiddenState.shape[1];
  requireShape("GRU", "input", input, [steps * rows, input.shape[1]]);
  requireShape("GRU", "initialHiddenState", initialHiddenState, [rows, units]);
  requireShape("GRU", "inputKernel", weights.inputKernel, [input.shape[1], 3 * units]);
  requireShape("GRU", "inputBias", weights.inputBias, [3 * units]);
  requireShape("GRU", "recurrentKernel", weights.recurrentKernel, [units, 3 * units]);
  requireShape("GRU", "recurrentBias", weights.recurrentBias, [3 * units]);
  if (!hasFused("GruSequence")) {
    return referenceGruSequence(input, initialHiddenState, keep, weights);
  }
  const inputs = { input, initialHiddenState, keep, ...pick(weights) };
  return runKernel<tf.Tensor2D[]>("GruSequence", inputs)[0]!;
}

/** The weights alone: tfjs takes every property of its inputs for a tensor. */
function pick(weights: GruWeights): Record<keyof GruWeights, tf.Tensor> {
  const { inputKernel, inputBias, recurrentKernel, recurrentBias } = weights;
  return { inputKernel, inputBias, recurrentKernel, recurrentBias };
}

/** Whether the active backend has the kernel. */
function hasFused(kernelName: string): boolean {
  return tf.getKernel(kernelName, tf.getBackend()) != null;
}

function requireShape(
  layer: string,
  name: string,
  { shape }: tf.Tensor,
  expected: readonly number[],
): void {
  if (shape.length === expected.length && shape.every((size, i) => size === expected[i])) return;
  throw new RangeError(
    `Cannot compute a ${layer}: ${name} must be of shape [${expected}], current value is [${shape}]`,
  );
}
