/**
 * Pointwise nonlinearities.
 *
 * @module
 */
import { tf } from "../_tensorflow.ts";

/** Nonlinearity applied after a layer. */
export type Activation = "linear" | "relu" | "tanh" | "gelu";

/**
 * Applies a nonlinearity. GELU is the exact one, x * Phi(x) with the Gaussian distribution function
 * (Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016), as PyTorch's default.
 */
export function activate<T extends tf.Tensor>(input: T, activation: Activation): T {
  switch (activation) {
    case "linear":
      return input;
    case "relu":
      return tf.relu(input);
    case "tanh":
      return tf.tanh(input);
    case "gelu":
      return tf.mul(tf.mul(input, 0.5), tf.add(tf.erf(tf.mul(input, Math.SQRT1_2)), 1)) as T;
  }
}
