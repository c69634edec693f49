/**
 * What a network's formulas need of a file format.
 *
 * @module
 */

/** An array of constants. */
export interface GraphConstant {
  /** Dimensions. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
}

/** Nonlinearities; `gelu` is the exact form. */
export type GraphActivation = "relu" | "tanh" | "gelu";

/** Operators of two values, the second of which is repeated as need be. */
export type GraphBinary = "add" | "sub" | "mul" | "div";

/** Parameters of one GRU layer, laid out as in the policy. */
export interface GraphGru {
  /** `[inputs, 3 units]`, gates reset, update, new. */
  readonly inputKernel: GraphConstant;
  /** `[3 units]`. */
  readonly inputBias: GraphConstant;
  /** `[units, 3 units]`. */
  readonly recurrentKernel: GraphConstant;
  /** `[3 units]`. */
  readonly recurrentBias: GraphConstant;
}

/** Names of what one head of an attention layer works on. */
export interface GraphAttention {
  /** `[batch, replicas, width]`, scaled. */
  readonly queries: string;
  /** `[batch, replicas, width]`. */
  readonly keys: string;
  /** `[batch, replicas, width]`. */
  readonly values: string;
  /** `[batch, 1, replicas]`, added to the scores of every query. */
  readonly penalties: string;
}

/** How observations are standardised. */
export interface GraphNormalization {
  /** `[D]`. */
  readonly means: Float64Array;
  /** `[D]`, divisors. */
  readonly stds: Float64Array;
  /** Largest absolute result. */
  readonly clip: number;
}

/** Writes a graph, operation by operation; values go by name. Every method names its result. */
export interface GraphWriter {
  /** A constant. */
  constant(constant: GraphConstant): string;
  /** clip((x - means) / stds), `[rows, D]`. */
  normalize(input: string, how: GraphNormalization): string;
  /** x . kernel + bias, `[rows, outputs]`. */
  dense(input: string, kernel: GraphConstant, bias: GraphConstant): string;
  /** Element by element. */
  activate(input: string, activation: GraphActivation): string;
  /** gain (x - mean) / sqrt(variance + epsilon) + bias over the last axis. */
  layerNorm(
    input: string,
    parameters: { readonly gain: GraphConstant; readonly bias: GraphConstant },
    epsilon: number,
  ): string;
  /** Hidden state after one step, `[rows, units]`. */
  gru(input: string, hiddenState: string, parameters: GraphGru): string;
  /** softmax(queries keys^T + penalties) values, cluster by cluster, over the last axes. */
  attend(parts: GraphAttention): string;
  /** Element by element. */
  binary(operator: GraphBinary, left: string, right: string): string;
  /** Columns `begin .. end - 1` of a matrix. */
  columns(input: string, begin: number, end: number): string;
  /** Some columns of a matrix, in the given order. */
  gatherColumns(input: string, columns: readonly number[]): string;
  /** The same numbers in another shape; one dimension may be -1. */
  reshape(input: string, shape: readonly number[]): string;
  /** Values side by side along an axis. */
  concat(inputs: readonly string[], axis: number): string;
  /** Sum or maximum over an axis, which is kept (of size 1) or dropped. */
  reduce(
    kind: "sum" | "max",
    input: string,
    options: { readonly axis: number; readonly keep: boolean },
  ): string;
  /** A new axis 1, along which everything is repeated. */
  repeat(input: string, count: number): string;
  /** `value` where the mask is 0, the input elsewhere. */
  replaceMasked(input: string, mask: string, value: number): string;
  /** Gives a value the name of an output. */
  output(value: string, name: string): void;
}
