/**
 * Graphs in TensorFlow operators, as TensorFlow.js loads them.
 *
 * @module
 */
import type {
  GraphActivation,
  GraphAttention,
  GraphBinary,
  GraphConstant,
  GraphGru,
  GraphNormalization,
  GraphWriter,
} from "./_graph_writer.ts";

/** A node of a GraphDef in JSON. */
export interface TfjsNode {
  /** Name, which is also that of its result. */
  readonly name: string;
  /** Operator. */
  readonly op: string;
  /** Names of its inputs. */
  readonly input: readonly string[];
  /** Attributes. */
  readonly attr: Readonly<Record<string, unknown>>;
}

/** Constants of a graph. */
export interface TfjsWeight {
  /** Name of the node. */
  readonly name: string;
  /** Dimensions. */
  readonly shape: number[];
  /** Type. */
  readonly dtype: "float32" | "int32";
  /** Row-major. */
  readonly values: Float32Array | Int32Array;
}

const BINARY: Readonly<Record<GraphBinary, string>> = {
  add: "AddV2",
  sub: "Sub",
  mul: "Mul",
  div: "RealDiv",
};

const FLOAT = { T: { type: "DT_FLOAT" } };

/** Collects nodes and constants. */
export class TfjsWriter implements GraphWriter {
  /** Nodes, inputs before their uses. */
  readonly nodes: TfjsNode[] = [];
  /** Values of the `Const` nodes. */
  readonly weights: TfjsWeight[] = [];

  /** A graph of nothing but its inputs, `[batch, width]` arrays. */
  constructor(inputs: readonly { readonly name: string; readonly width?: number }[]) {
    for (const { name, width } of inputs) {
      const dim = [-1, ...(width === undefined ? [] : [width])].map((size) => ({
        size: String(size),
      }));
      const attr = { dtype: { type: "DT_FLOAT" }, shape: { shape: { dim } } };
      this.nodes.push({ name, op: "Placeholder", input: [], attr });
    }
  }

  constant({ values, shape }: GraphConstant): string {
    return this.#addWeight("float32", values, shape);
  }

  /** In float32, the only floats of TensorFlow.js. */
  normalize(input: string, { means, stds, clip }: GraphNormalization): string {
    const scales = stds.map((std) => 1 / std);
    const shape = [means.length];
    const centred = this.binary("sub", input, this.#row(means, shape));
    const scaled = this.binary("mul", centred, this.#row(scales, shape));
    const lowest = this.#add("Maximum", [scaled, this.#number(-clip)], FLOAT);
    return this.#add("Minimum", [lowest, this.#number(clip)], FLOAT);
  }

  dense(input: string, kernel: GraphConstant, bias: GraphConstant): string {
    const attr = { ...FLOAT, "transpose_a": { b: false }, "transpose_b": { b: false } };
    const product = this.#add("MatMul", [input, this.constant(kernel)], attr);
    return this.binary("add", product, this.constant(bias));
  }

  activate(input: string, activation: GraphActivation): string {
    if (activation === "relu") return this.#add("Relu", [input], FLOAT);
    if (activation === "tanh") return this.#add("Tanh", [input], FLOAT);
    // x Phi(x) = x (1 + erf(x / sqrt 2)) / 2
    const scaled = this.binary("mul", input, this.#number(Math.SQRT1_2));
    const erf = this.#add("Erf", [scaled], FLOAT);
    const gate = this.binary("add", erf, this.#number(1));
    return this.binary("mul", this.binary("mul", input, this.#number(0.5)), gate);
  }

  layerNorm(
    input: string,
    { gain, bias }: { readonly gain: GraphConstant; readonly bias: GraphConstant },
    epsilon: number,
  ): string {
    const mean = this.#reduce("Mean", input, -1, true);
    const squares = this.#add("SquaredDifference", [input, mean], FLOAT);
    const variance = this.#reduce("Mean", squares, -1, true);
    const stabilized = this.binary("add", variance, this.#number(epsilon));
    const inverse = this.#add("Rsqrt", [stabilized], FLOAT);
    const standardized = this.binary("mul", this.binary("sub", input, mean), inverse);
    const scaled = this.binary("mul", standardized, this.constant(gain));
    return this.binary("add", scaled, this.constant(bias));
  }

  gru(input: string, hiddenState: string, parameters: GraphGru): string {
    const { inputKernel, inputBias, recurrentKernel, recurrentBias } = parameters;
    const [units] = recurrentKernel.shape as [number];
    const fromInput = this.dense(input, inputKernel, inputBias);
    const fromHidden = this.dense(hiddenState, recurrentKernel, recurrentBias);
    const gate = (value: string, k: number): string =>
      this.columns(value, k * units, (k + 1) * units);
    const sigmoid = (k: number): string =>
      this.#add("Sigmoid", [this.binary("add", gate(fromInput, k), gate(fromHidden, k))], FLOAT);
    const reset = sigmoid(0);
    const update = sigmoid(1);
    const recalled = this.binary("mul", reset, gate(fromHidden, 2));
    const fresh = this.activate(this.binary("add", gate(fromInput, 2), recalled), "tanh");
    // (1 - z) n + z h = n + z (h - n)
    const difference = this.binary("sub", hiddenState, fresh);
    return this.binary("add", fresh, this.binary("mul", update, difference));
  }

  attend({ queries, keys, values, penalties }: GraphAttention): string {
    const multiply = (left: string, right: string, isTransposed: boolean): string =>
      this.#add("BatchMatMulV2", [left, right], {
        ...FLOAT,
        "adj_x": { b: false },
        "adj_y": { b: isTransposed },
      });
    const scores = this.binary("add", multiply(queries, keys, true), penalties);
    return multiply(this.#add("Softmax", [scores], FLOAT), values, false);
  }

  binary(operator: GraphBinary, left: string, right: string): string {
    return this.#add(BINARY[operator], [left, right], FLOAT);
  }

  columns(input: string, begin: number, end: number): string {
    const corner = this.#integers([0, begin]);
    const size = this.#integers([-1, end - begin]);
    return this.#add("Slice", [input, corner, size], FLOAT);
  }

  gatherColumns(input: string, columns: readonly number[]): string {
    return this.#add("GatherV2", [input, this.#integers(columns), this.#integer(1)], FLOAT);
  }

  reshape(input: string, shape: readonly number[]): string {
    return this.#add("Reshape", [input, this.#integers(shape)], FLOAT);
  }

  concat(inputs: readonly string[], axis: number): string {
    const attr = { ...FLOAT, N: { i: String(inputs.length) } };
    return this.#add("ConcatV2", [...inputs, this.#integer(axis)], attr);
  }

  reduce(
    kind: "sum" | "max",
    input: string,
    { axis, keep }: { readonly axis: number; readonly keep: boolean },
  ): string {
    return this.#reduce(kind === "sum" ? "Sum" : "Max", input, axis, keep);
  }

  repeat(input: string, count: number): string {
    const column = this.#add("ExpandDims", [input, this.#integer(1)], FLOAT);
    return this.#add("Tile", [column, this.#integers([1, count, 1])], FLOAT);
  }

  replaceMasked(input: string, mask: string, value: number): string {
    const allowed = this.#add("Greater", [mask, this.#number(0.5)], FLOAT);
    return this.#add("SelectV2", [allowed, input, this.#number(value)], FLOAT);
  }

  output(value: string, name: string): void {
    this.nodes.push({ name, op: "Identity", input: [value], attr: FLOAT });
  }

  #reduce(op: "Mean" | "Sum" | "Max", input: string, axis: number, keep: boolean): string {
    return this.#add(op, [input, this.#integers([axis])], { ...FLOAT, "keep_dims": { b: keep } });
  }

  #row(values: Float64Array, shape: readonly number[]): string {
    return this.constant({ values: Float32Array.from(values), shape });
  }

  #number(value: number): string {
    return this.constant({ values: Float32Array.of(value), shape: [] });
  }

  #integer(value: number): string {
    return this.#addWeight("int32", Int32Array.of(value), []);
  }

  #integers(values: readonly number[]): string {
    return this.#addWeight("int32", Int32Array.from(values), [values.length]);
  }

  #addWeight(
    dtype: TfjsWeight["dtype"],
    values: TfjsWeight["values"],
    shape: readonly number[],
  ): string {
    const name = `constant_${this.weights.length}`;
    this.weights.push({ name, shape: [...shape], dtype, values });
    const type = dtype === "float32" ? "DT_FLOAT" : "DT_INT32";
    const dim = shape.map((size) => ({ size: String(size) }));
    const value = { tensor: { dtype: type, tensorShape: { dim } } };
    this.nodes.push({ name, op: "Const", input: [], attr: { dtype: { type }, value } });
    return name;
  }

  #add(op: string, input: readonly string[], attr: TfjsNode["attr"]): string {
    const name = `value_${this.nodes.length}`;
    this.nodes.push({ name, op, input, attr });
    return name;
  }
}
