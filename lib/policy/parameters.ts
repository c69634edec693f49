/**
 * The trainable numbers of a network, by name.
 *
 * @module
 */
import { tf } from "./_tensorflow.ts";

/** Weights as plain data, in the network's order: what checkpoints hold. */
export type NamedWeights = Readonly<Record<string, WeightArray>>;

/** Weights of one parameter. */
export interface WeightArray {
  /** Dimensions. */
  readonly shape: readonly number[];
  /** Row-major values. */
  readonly values: Float32Array;
}

/**
 * Ordered record of named variables. Names are dotted paths (`"actor.head.kernel"`); they belong to
 * this set, so several networks of one kind may live side by side.
 *
 * @example
 * ```ts
 * import { ParameterSet } from "@signalbox/signalbox/policy";
 * import assert from "node:assert/strict";
 *
 * const parameters = new ParameterSet();
 * parameters.add("head.bias", [2], new Float32Array([1, 2]));
 * assert.deepEqual(parameters.names, ["head.bias"]);
 * assert.equal(parameters.count, 2);
 * parameters.dispose();
 * ```
 */
export class ParameterSet {
  readonly #variables = new Map<string, tf.Variable>();

  /**
   * Adds a variable; the values are copied.
   *
   * @throws {RangeError} When the name is taken.
   */
  add(name: string, shape: readonly number[], values: Float32Array): tf.Variable {
    if (this.#variables.has(name)) {
      throw new RangeError(
        `Cannot add a parameter: name must be unused, current value is ${JSON.stringify(name)}`,
      );
    }
    const initial = tf.tensor(values.slice(), [...shape]);
    // No engine-wide name: tfjs refuses the same name twice in one process.
    const variable = tf.variable(initial, true);
    initial.dispose();
    this.#variables.set(name, variable);
    return variable;
  }

  /** Names in creation order. */
  get names(): string[] {
    return [...this.#variables.keys()];
  }

  /** Variables in creation order. */
  get variables(): tf.Variable[] {
    return [...this.#variables.values()];
  }

  /** Number of scalars. */
  get count(): number {
    return this.variables.reduce((sum, variable) => sum + variable.size, 0);
  }

  /**
   * The variable of that name.
   *
   * @throws {RangeError} When there is none.
   */
  get(name: string): tf.Variable {
    const variable = this.#variables.get(name);
    if (variable === undefined) {
      throw new RangeError(
        `Cannot get a parameter: name must be one of ${
          this.names.join(", ")
        }, current value is ${name}`,
      );
    }
    return variable;
  }

  /** Copies of all values. */
  getWeights(): NamedWeights {
    const weights: Record<string, WeightArray> = {};
    for (const [name, variable] of this.#variables) {
      weights[name] = {
        shape: [...variable.shape],
        values: Float32Array.from(variable.dataSync()),
      };
    }
    return weights;
  }

  /**
   * Overwrites all values. Nothing is written unless everything fits.
   *
   * @throws {RangeError} When names or shapes differ from this network's.
   */
  setWeights(weights: NamedWeights): void {
    const unknown = Object.keys(weights).find((name) => !this.#variables.has(name));
    if (unknown !== undefined) {
      throw new RangeError(
        `Cannot set weights: name must be one of this network's parameters, current value is ${
          JSON.stringify(unknown)
        }`,
      );
    }
    for (const [name, variable] of this.#variables) {
      const entry = weights[name];
      const fits = entry !== undefined && entry.values.length === variable.size &&
        entry.shape.join() === variable.shape.join();
      if (!fits) {
        throw new RangeError(
          `Cannot set weights: ${name} must be of shape [${variable.shape}], current value is ${
            entry === undefined ? "missing" : `[${entry.shape}] (${entry.values.length} values)`
          }`,
        );
      }
    }
    for (const [name, variable] of this.#variables) {
      this.assign(variable, weights[name]!.values.slice());
    }
  }

  /** Replaces a variable's values; the array is taken over and must not be written to afterwards. */
  assign(variable: tf.Variable, values: Float32Array): void {
    const tensor = tf.tensor(values, variable.shape);
    variable.assign(tensor);
    tensor.dispose();
  }

  /** Frees all variables. */
  dispose(): void {
    for (const variable of this.#variables.values()) variable.dispose();
    this.#variables.clear();
  }
}
