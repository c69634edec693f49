/**
 * Functions of tensors as functions of plain arrays.
 *
 * @module
 */
import { canCompile, type CompiledFunction, compileFunction } from "../kernels/mod.ts";
import { tf } from "./_tensorflow.ts";

/** A float32 array with its dimensions. */
export interface ShapedArray {
  /** Row-major values. */
  readonly values: Float32Array;
  /** Dimensions. */
  readonly shape: readonly number[];
}

/** Named arrays. */
export type NamedArrays = Readonly<Record<string, Float32Array>>;

/** Named tensors. */
export type NamedTensors = Record<string, tf.Tensor>;

/**
 * Runs a function of tensors on plain arrays, without leaving tensors behind. On a backend that can
 * compile functions (`simd`), it is compiled once for every combination of input shapes; elsewhere it
 * runs as it is. Results are the same.
 *
 * @example
 * ```ts
 * import { ArrayFunction } from "@signalbox/signalbox/policy";
 * import * as tf from "@tensorflow/tfjs";
 * import assert from "node:assert/strict";
 *
 * const square = new ArrayFunction(({ x }) => ({ y: tf.square(x!) }), []);
 * const { y } = square.run({ x: { values: new Float32Array([1, 2, 3]), shape: [3] } });
 * assert.deepEqual([...y!], [1, 4, 9]);
 * square.dispose();
 * ```
 */
export class ArrayFunction {
  readonly #function: (inputs: NamedTensors) => NamedTensors;
  readonly #variables: readonly tf.Variable[];
  readonly #compiled = new Map<string, CompiledFunction<string, string>>();

  /**
   * A function that has not been compiled yet.
   *
   * @param f A pure function of its inputs and of `variables`; it reads no tensor's values.
   * @param variables The variables whose values may change between runs.
   */
  constructor(f: (inputs: NamedTensors) => NamedTensors, variables: readonly tf.Variable[]) {
    this.#function = f;
    this.#variables = variables;
  }

  /**
   * Computes the function.
   *
   * @returns Float32 arrays, valid until the next run; not to be written to.
   */
  run(inputs: Readonly<Record<string, ShapedArray>>): NamedArrays {
    return canCompile() ? this.#runCompiled(inputs) : this.#runEagerly(inputs);
  }

  /** Frees the memory of compiled functions. */
  dispose(): void {
    for (const compiled of this.#compiled.values()) compiled.dispose();
    this.#compiled.clear();
  }

  #runCompiled(inputs: Readonly<Record<string, ShapedArray>>): NamedArrays {
    const entries = Object.entries(inputs);
    const key = entries.map(([name, { shape }]) => `${name} ${shape.join("x")}`).join();
    let compiled = this.#compiled.get(key);
    if (compiled === undefined) {
      compiled = compileFunction(this.#function, {
        inputShapes: Object.fromEntries(entries.map(([name, { shape }]) => [name, shape])),
        variables: this.#variables,
      });
      this.#compiled.set(key, compiled);
    }
    for (const [name, { values }] of entries) compiled.inputs[name]!.set(values);
    compiled.run();
    return compiled.outputs;
  }

  #runEagerly(inputs: Readonly<Record<string, ShapedArray>>): NamedArrays {
    const arrays: Record<string, Float32Array> = {};
    // Not returned through tidy, which would look for tensors in every entry of every array.
    tf.tidy(() => {
      const tensors: NamedTensors = {};
      for (const [name, { values, shape }] of Object.entries(inputs)) {
        tensors[name] = tf.tensor(values, [...shape]);
      }
      for (const [name, tensor] of Object.entries(this.#function(tensors))) {
        arrays[name] = tensor.dataSync() as Float32Array;
      }
    });
    return arrays;
  }
}
