/**
 * Graphs in ONNX operators.
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
import type { OnnxGraph } from "./_onnx_graph.ts";

/** Codes of element types; source: TensorProto.DataType of onnx.proto. */
const CODE = { float32: 1, boolean: 9, float64: 11 } as const;

const ACTIVATION: Readonly<Record<GraphActivation, string>> = {
  relu: "Relu",
  tanh: "Tanh",
  gelu: "Gelu",
};

const BINARY: Readonly<Record<GraphBinary, string>> = {
  add: "Add",
  sub: "Sub",
  mul: "Mul",
  div: "Div",
};

/** Writes into an {@linkcode OnnxGraph}. */
export class OnnxWriter implements GraphWriter {
  readonly #graph: OnnxGraph;

  /** A writer that appends to `graph`. */
  constructor(graph: OnnxGraph) {
    this.#graph = graph;
  }

  constant({ values, shape }: GraphConstant): string {
    return this.#graph.floats(values, shape);
  }

  /** In float64, as the normaliser computes. */
  normalize(input: string, { means, stds, clip }: GraphNormalization): string {
    const graph = this.#graph;
    const size = [means.length];
    const scales = stds.map((std) => 1 / std);
    const wide = graph.add("Cast", [input], { to: CODE.float64 });
    const centred = graph.add("Sub", [wide, graph.floats(means, size)]);
    const scaled = graph.add("Mul", [centred, graph.floats(scales, size)]);
    const limits = [-clip, clip].map((limit) => graph.floats(Float64Array.of(limit), []));
    return graph.add("Cast", [graph.add("Clip", [scaled, ...limits])], { to: CODE.float32 });
  }

  dense(input: string, kernel: GraphConstant, bias: GraphConstant): string {
    return this.#graph.add("Gemm", [input, this.constant(kernel), this.constant(bias)]);
  }

  activate(input: string, activation: GraphActivation): string {
    return this.#graph.add(ACTIVATION[activation], [input]);
  }

  layerNorm(
    input: string,
    { gain, bias }: { readonly gain: GraphConstant; readonly bias: GraphConstant },
    epsilon: number,
  ): string {
    const parameters = [this.constant(gain), this.constant(bias)];
    return this.#graph.add("LayerNormalization", [input, ...parameters], { axis: -1, epsilon });
  }

  gru(input: string, hiddenState: string, parameters: GraphGru): string {
    const graph = this.#graph;
    const { inputKernel, inputBias, recurrentKernel, recurrentBias } = parameters;
    const [units] = recurrentKernel.shape as [number];
    const [inputs] = inputKernel.shape as [number];
    const biases = new Float32Array(6 * units);
    biases.set(reorderGates(inputBias.values, 1, units));
    biases.set(reorderGates(recurrentBias.values, 1, units), 3 * units);
    const step = graph.integers(0);
    const [, last] = graph.addMany("GRU", [
      graph.add("Unsqueeze", [input, step]),
      graph.floats(reorderGates(inputKernel.values, inputs, units), [1, 3 * units, inputs]),
      graph.floats(reorderGates(recurrentKernel.values, units, units), [1, 3 * units, units]),
      graph.floats(biases, [1, 6 * units]),
      "", // all sequences are equally long
      graph.add("Unsqueeze", [hiddenState, step]),
    ], { outputCount: 2, attributes: { "hidden_size": units, "linear_before_reset": 1 } });
    return graph.add("Squeeze", [last!, step]);
  }

  attend({ queries, keys, values, penalties }: GraphAttention): string {
    const graph = this.#graph;
    const transposed = graph.add("Transpose", [keys], { perm: [0, 2, 1] });
    const scores = graph.add("MatMul", [queries, transposed]);
    const weights = graph.add("Softmax", [graph.add("Add", [scores, penalties])], { axis: -1 });
    return graph.add("MatMul", [weights, values]);
  }

  binary(operator: GraphBinary, left: string, right: string): string {
    return this.#graph.add(BINARY[operator], [left, right]);
  }

  columns(input: string, begin: number, end: number): string {
    const range = [begin, end, 1].map((value) => this.#graph.integers(value));
    return this.#graph.add("Slice", [input, ...range]);
  }

  gatherColumns(input: string, columns: readonly number[]): string {
    return this.#graph.add("Gather", [input, this.#graph.integers(...columns)], { axis: 1 });
  }

  reshape(input: string, shape: readonly number[]): string {
    return this.#graph.add("Reshape", [input, this.#graph.integers(...shape)]);
  }

  concat(inputs: readonly string[], axis: number): string {
    return this.#graph.add("Concat", inputs, { axis });
  }

  reduce(
    kind: "sum" | "max",
    input: string,
    { axis, keep }: { readonly axis: number; readonly keep: boolean },
  ): string {
    const operator = kind === "sum" ? "ReduceSum" : "ReduceMax";
    return this.#graph.add(operator, [input, this.#graph.integers(axis)], { keepdims: +keep });
  }

  repeat(input: string, count: number): string {
    const graph = this.#graph;
    const column = graph.add("Unsqueeze", [input, graph.integers(1)]);
    return graph.add("Tile", [column, graph.integers(1, count, 1)]);
  }

  replaceMasked(input: string, mask: string, value: number): string {
    const allowed = this.#graph.add("Cast", [mask], { to: CODE.boolean });
    const replacement = this.#graph.floats(Float32Array.of(value), []);
    return this.#graph.add("Where", [allowed, input, replacement]);
  }

  output(value: string, name: string): void {
    this.#graph.rename(value, name);
  }
}

/**
 * Kernels `[inputs, 3 units]` with gates reset, update, new become `[3 units, inputs]` with gates
 * update, reset, new, as the ONNX operator has them.
 */
function reorderGates(values: Float32Array, inputs: number, units: number): Float32Array {
  const order = [1, 0, 2];
  return Float32Array.from({ length: values.length }, (_, i) => {
    const row = Math.floor(i / inputs);
    const gate = order[Math.floor(row / units)]!;
    return values[(i % inputs) * 3 * units + gate * units + row % units]!;
  });
}
