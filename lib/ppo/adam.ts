/**
 * Adam with clipping of the global gradient norm.
 *
 * @module
 */

/** Hyper-parameters of one step. */
export interface AdamStepOptions {
  /** Step size. */
  readonly learningRate: number;
  /** Decay of the mean. */
  readonly beta1: number;
  /** Decay of the uncentred variance. */
  readonly beta2: number;
  /** Added to the root of the variance. */
  readonly epsilon: number;
  /** Gradients are multiplied by this first, see {@linkcode gradientScale}. */
  readonly scale: number;
}

/** Everything an optimiser remembers; plain data for checkpoints. */
export interface AdamState {
  /** Steps taken. */
  readonly stepCount: number;
  /** First moments, one array a parameter. */
  readonly means: readonly Float32Array[];
  /** Second moments, one array a parameter. */
  readonly variances: readonly Float32Array[];
}

/**
 * Adam over a fixed list of parameters, on plain arrays: exact to save and restore.
 *
 * ```text
 * m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g^2
 * p = p - rate / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + epsilon)
 * ```
 *
 * Source: Kingma and Ba, "Adam" (2015), algorithm 1, with epsilon where PyTorch has it.
 *
 * @example
 * ```ts
 * import { Adam } from "@signalbox/signalbox/ppo";
 * import assert from "node:assert/strict";
 *
 * const adam = new Adam([1]);
 * const options = { learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-5, scale: 1 };
 * const [updated] = adam.step([new Float32Array([1])], [new Float32Array([3])], options);
 * assert.ok(Math.abs(updated![0]! - 0.9) < 1e-5); // the first step is about learningRate long
 * ```
 */
export class Adam {
  #stepCount = 0;
  readonly #means: Float32Array[];
  readonly #variances: Float32Array[];

  /** @param sizes Number of scalars of each parameter. */
  constructor(sizes: readonly number[]) {
    this.#means = sizes.map((size) => new Float32Array(size));
    this.#variances = sizes.map((size) => new Float32Array(size));
  }

  /**
   * One step.
   *
   * @param parameters Current values, one array a parameter; not written to.
   * @param gradients Same shapes.
   * @returns New values, new arrays.
   * @throws {RangeError} When a length does not fit.
   */
  step(
    parameters: readonly Float32Array[],
    gradients: readonly Float32Array[],
    { learningRate, beta1, beta2, epsilon, scale }: AdamStepOptions,
  ): Float32Array[] {
    checkSizes("parameters", parameters, this.#means);
    checkSizes("gradients", gradients, this.#means);
    this.#stepCount++;
    const rate = learningRate / (1 - beta1 ** this.#stepCount);
    const varianceCorrection = 1 / (1 - beta2 ** this.#stepCount);
    return parameters.map((values, k) => {
      const gradient = gradients[k]!;
      const mean = this.#means[k]!;
      const variance = this.#variances[k]!;
      const updated = new Float32Array(values.length);
      for (let i = 0; i < values.length; i++) {
        const g = scale * gradient[i]!;
        const m = beta1 * mean[i]! + (1 - beta1) * g;
        const v = beta2 * variance[i]! + (1 - beta2) * g * g;
        mean[i] = m;
        variance[i] = v;
        updated[i] = values[i]! - rate * m / (Math.sqrt(v * varianceCorrection) + epsilon);
      }
      return updated;
    });
  }

  /** A copy of everything remembered. */
  getState(): AdamState {
    return {
      stepCount: this.#stepCount,
      means: this.#means.map((array) => array.slice()),
      variances: this.#variances.map((array) => array.slice()),
    };
  }

  /**
   * Continues from a saved state.
   *
   * @throws {RangeError} When a length does not fit; nothing is written then.
   */
  setState(state: AdamState): void {
    checkSizes("means", state.means, this.#means);
    checkSizes("variances", state.variances, this.#variances);
    this.#stepCount = state.stepCount;
    this.#means.forEach((array, k) => array.set(state.means[k]!));
    this.#variances.forEach((array, k) => array.set(state.variances[k]!));
  }
}

/** Euclidean norm over all gradients together, accumulated in float64. */
export function globalGradNorm(gradients: readonly Float32Array[]): number {
  let sum = 0;
  for (const gradient of gradients) {
    for (let i = 0; i < gradient.length; i++) sum += gradient[i]! * gradient[i]!;
  }
  return Math.sqrt(sum);
}

/**
 * Factor that clips gradients of joint norm `norm` to `maxNorm`: maxNorm / (norm + 1e-6) where the
 * norm is larger, else 1; as PyTorch's `clip_grad_norm_`.
 *
 * Source: detail 11 of "The 37 implementation details of PPO".
 *
 * @param maxNorm null = no clipping.
 */
export function gradientScale(norm: number, maxNorm: number | null): number {
  return maxNorm !== null && norm > maxNorm ? maxNorm / (norm + 1e-6) : 1;
}

/** Refuses arrays whose lengths differ from the reference's. */
function checkSizes(
  name: string,
  arrays: readonly Float32Array[],
  reference: readonly Float32Array[],
): void {
  const actual = arrays.map((array) => array.length).join();
  const expected = reference.map((array) => array.length).join();
  if (actual !== expected) {
    throw new RangeError(
      `Cannot use Adam: ${name} must have lengths ${expected}, current value is ${actual}`,
    );
  }
}
