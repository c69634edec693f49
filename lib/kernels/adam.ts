/**
 * Adam on tfjs variables.
 *
 * @module
 */
import { tf } from "./_tensorflow.ts";
import { SimdBackend } from "./simd_backend.ts";

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
  /** Gradients are multiplied by this first: 1, or less where their norm is clipped. */
  readonly scale: number;
}

/** Everything an optimiser remembers; plain data for checkpoints. */
export interface AdamState {
  /** Steps taken. */
  readonly stepCount: number;
  /** First moments, one array a variable. */
  readonly means: readonly Float32Array[];
  /** Second moments, one array a variable. */
  readonly variances: readonly Float32Array[];
}

/**
 * Adam over a fixed list of variables; one kernel a variable on the `simd` backend, a loop elsewhere.
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
 * import * as tf from "@tensorflow/tfjs";
 * import { AdamOptimizer } from "@signalbox/signalbox/kernels";
 * import assert from "node:assert/strict";
 *
 * const weight = tf.variable(tf.tensor1d([1]));
 * const adam = new AdamOptimizer([weight]);
 * const options = { learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-5, scale: 1 };
 * adam.step([new Float32Array([3])], options);
 * assert.ok(Math.abs(weight.dataSync()[0]! - 0.9) < 1e-5); // the first step is learningRate long
 * adam.dispose();
 * ```
 */
export class AdamOptimizer {
  readonly #variables: readonly tf.Variable[];
  /** The backend that was active at the start, if it is ours: the moments live in its memory. */
  readonly #simd: SimdBackend | undefined;
  readonly #means: Float32Array[];
  readonly #variances: Float32Array[];
  #stepCount = 0;

  /**
   * An optimiser that has taken no step.
   *
   * @param variables What to optimise; gradients come in the same order.
   */
  constructor(variables: readonly tf.Variable[]) {
    const backend = tf.backend();
    this.#simd = backend instanceof SimdBackend ? backend : undefined;
    this.#variables = variables;
    this.#means = variables.map(({ size }) => this.#zeros(size));
    this.#variances = variables.map(({ size }) => this.#zeros(size));
  }

  /**
   * One step: assigns new values to the variables.
   *
   * @param gradients One array a variable; not written to.
   * @throws {RangeError} When a length does not fit; nothing is written then.
   */
  step(gradients: readonly Float32Array[], options: AdamStepOptions): void {
    checkLengths("gradients", gradients, this.#means);
    this.#stepCount++;
    const { learningRate, beta1, beta2 } = options;
    const corrections = {
      rate: learningRate / (1 - beta1 ** this.#stepCount),
      inverseRoot: 1 / Math.sqrt(1 - beta2 ** this.#stepCount),
    };
    this.#variables.forEach((variable, k) => {
      const [gradient, mean, variance] = [gradients[k]!, this.#means[k]!, this.#variances[k]!];
      const tensor = this.#simd === undefined
        ? stepInJavaScript(variable, { gradient, mean, variance, ...corrections }, options)
        : stepInKernel(this.#simd, variable, { gradient, mean, variance, ...corrections }, options);
      variable.assign(tensor);
      tensor.dispose();
    });
  }

  /** Steps taken. */
  get stepCount(): number {
    return this.#stepCount;
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
    checkLengths("means", state.means, this.#means);
    checkLengths("variances", state.variances, this.#variances);
    this.#stepCount = state.stepCount;
    this.#means.forEach((array, k) => array.set(state.means[k]!));
    this.#variances.forEach((array, k) => array.set(state.variances[k]!));
  }

  /** Frees the moments; not the variables. */
  dispose(): void {
    for (const array of [...this.#means.splice(0), ...this.#variances.splice(0)]) {
      this.#simd?.heap.free(array.byteOffset, array.byteLength);
    }
  }

  #zeros(size: number): Float32Array {
    if (this.#simd === undefined) return new Float32Array(size);
    return this.#simd.view(this.#simd.heap.allocate(size * 4), size).fill(0);
  }
}

/** One variable's arrays and the bias corrections of this step. */
interface Moments {
  readonly gradient: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly rate: number;
  readonly inverseRoot: number;
}

/** New values of a variable; the moments are updated in place. */
function stepInKernel(
  simd: SimdBackend,
  variable: tf.Variable,
  { gradient, mean, variance, rate, inverseRoot }: Moments,
  { beta1, beta2, epsilon, scale }: AdamStepOptions,
): tf.Tensor {
  const parameter = simd.pointer(variable);
  const { info, pointer } = simd.output(variable.shape);
  withAddress(simd, gradient, (from) => {
    const [m, v] = [mean.byteOffset, variance.byteOffset];
    simd.call(
      "adam",
      parameter,
      from,
      m,
      v,
      pointer,
      m,
      v,
      variable.size,
      scale,
      rate,
      inverseRoot,
      beta1,
      beta2,
      epsilon,
    );
  });
  return tf.engine().makeTensorFromTensorInfo(info, simd);
}

/** As `stepInKernel`, in float64 arithmetic on float32 arrays. */
function stepInJavaScript(
  variable: tf.Variable,
  { gradient, mean, variance, rate, inverseRoot }: Moments,
  { beta1, beta2, epsilon, scale }: AdamStepOptions,
): tf.Tensor {
  const values = variable.dataSync();
  const updated = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const g = scale * gradient[i]!;
    const m = beta1 * mean[i]! + (1 - beta1) * g;
    const v = beta2 * variance[i]! + (1 - beta2) * g * g;
    mean[i] = m;
    variance[i] = v;
    updated[i] = values[i]! - rate * m / (Math.sqrt(v) * inverseRoot + epsilon);
  }
  return tf.tensor(updated, variable.shape);
}

/**
 * Euclidean norm over all arrays together, accumulated in float64.
 *
 * @example
 * ```ts
 * import { globalNorm } from "@signalbox/signalbox/kernels";
 * import assert from "node:assert/strict";
 *
 * assert.equal(globalNorm([new Float32Array([2, 3]), new Float32Array([6])]), 7);
 * ```
 */
export function globalNorm(arrays: readonly Float32Array[]): number {
  const backend = tf.backend();
  let sum = 0;
  for (const array of arrays) {
    const address = backend instanceof SimdBackend ? backend.address(array) : undefined;
    if (address !== undefined) {
      sum += (backend as SimdBackend).kernels.sumSquares(address, array.length);
    } else {
      for (let i = 0; i < array.length; i++) sum += array[i]! * array[i]!;
    }
  }
  return Math.sqrt(sum);
}

/** Calls `f` with the address of the array, or of a copy of it. */
function withAddress(simd: SimdBackend, array: Float32Array, f: (pointer: number) => void): void {
  const address = simd.address(array);
  if (address !== undefined) return f(address);
  simd.withScratch(array.byteLength, (pointer) => {
    simd.view(pointer, array.length).set(array);
    f(pointer);
  });
}

/** Refuses arrays whose lengths differ from the reference's. */
function checkLengths(
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
