/**
 * Just enough of the ONNX format to write a network down.
 *
 * Field numbers and codes: onnx.proto of the ONNX project, IR version 9, operator set 20.
 *
 * @module
 */
import { PbfWriter } from "pbf";
import type { GraphPort, PolicyPorts } from "./_policy_graph.ts";

const IR_VERSION = 9;
const OPSET_VERSION = 20;

/** Element types of tensors. */
const DATA_TYPE = { float32: 1, int64: 7, float64: 11 } as const;

/** Codes of attribute types. */
const ATTRIBUTE_TYPE = { float: 1, integer: 2, integers: 7 } as const;

/** Whole numbers as attributes are integers, all others floats; lists hold whole numbers. */
type Attributes = Readonly<Record<string, number | readonly number[]>>;

interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

interface Constant {
  readonly name: string;
  readonly type: keyof typeof DATA_TYPE;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A graph that grows node by node; values are known by name. */
export class OnnxGraph {
  readonly #nodes: Node[] = [];
  readonly #constants: Constant[] = [];
  #count = 0;

  /**
   * Adds a node.
   *
   * @param inputs Names; an empty one stands for an optional input that is left out.
   * @returns Name of its first output.
   */
  add(operator: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.addMany(operator, inputs, { outputCount: 1, attributes })[0]!;
  }

  /** Adds a node with several outputs; returns their names. */
  addMany(
    operator: string,
    inputs: readonly string[],
    { outputCount, attributes = {} }: {
      readonly outputCount: number;
      readonly attributes?: Attributes;
    },
  ): string[] {
    const outputs = Array.from({ length: outputCount }, () => `value_${this.#count++}`);
    this.#nodes.push({ operator, inputs, outputs, attributes });
    return outputs;
  }

  /** Gives a value a name of its own, e.g. that of an output. */
  rename(value: string, name: string): void {
    this.#nodes.push({ operator: "Identity", inputs: [value], outputs: [name], attributes: {} });
  }

  /** Adds a constant of 32- or 64-bit floats; returns its name. */
  floats(values: Float32Array | Float64Array, shape: readonly number[]): string {
    const type = values instanceof Float32Array ? "float32" : "float64";
    return this.#addConstant(type, values, shape);
  }

  /** Adds a list of integers; returns its name. */
  integers(...values: number[]): string {
    return this.#addConstant("int64", BigInt64Array.from(values.map(BigInt)), [values.length]);
  }

  /** Bytes of a model of this graph; the metadata are free text by key. */
  encode(name: string, { inputs, outputs, metadata }: PolicyPorts): Uint8Array {
    const model = new PbfWriter();
    model.writeVarintField(1, IR_VERSION);
    model.writeStringField(2, "signalbox");
    model.writeMessage(7, (_, graph: PbfWriter) => {
      for (const node of this.#nodes) graph.writeMessage(1, writeNode, node);
      graph.writeStringField(2, name);
      for (const constant of this.#constants) graph.writeMessage(5, writeConstant, constant);
      for (const value of inputs) graph.writeMessage(11, writeValueInfo, value);
      for (const value of outputs) graph.writeMessage(12, writeValueInfo, value);
    }, undefined);
    model.writeMessage(8, (version: number, opset: PbfWriter) => {
      opset.writeStringField(1, "");
      opset.writeVarintField(2, version);
    }, OPSET_VERSION);
    for (const entry of Object.entries(metadata)) model.writeMessage(14, writeEntry, entry);
    return model.finish();
  }

  #addConstant(
    type: Constant["type"],
    values: Float32Array | Float64Array | BigInt64Array,
    shape: readonly number[],
  ): string {
    const name = `constant_${this.#constants.length}`;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    this.#constants.push({ name, type, shape, bytes });
    return name;
  }
}

function writeNode({ operator, inputs, outputs, attributes }: Node, node: PbfWriter): void {
  for (const input of inputs) node.writeStringField(1, input);
  for (const output of outputs) node.writeStringField(2, output);
  node.writeStringField(4, operator);
  for (const entry of Object.entries(attributes)) node.writeMessage(5, writeAttribute, entry);
}

function writeAttribute(
  [name, value]: [string, number | readonly number[]],
  attribute: PbfWriter,
): void {
  attribute.writeStringField(1, name);
  if (typeof value !== "number") {
    for (const each of value) attribute.writeVarintField(8, each);
    attribute.writeVarintField(20, ATTRIBUTE_TYPE.integers);
  } else if (Number.isInteger(value)) {
    attribute.writeVarintField(3, value);
    attribute.writeVarintField(20, ATTRIBUTE_TYPE.integer);
  } else {
    attribute.writeFloatField(2, value);
    attribute.writeVarintField(20, ATTRIBUTE_TYPE.float);
  }
}

function writeConstant({ name, type, shape, bytes }: Constant, tensor: PbfWriter): void {
  for (const dimension of shape) tensor.writeVarintField(1, dimension);
  tensor.writeVarintField(2, DATA_TYPE[type]);
  tensor.writeStringField(8, name);
  tensor.writeBytesField(9, bytes);
}

function writeValueInfo({ name, width }: GraphPort, info: PbfWriter): void {
  info.writeStringField(1, name);
  info.writeMessage(2, (_, type: PbfWriter) => {
    type.writeMessage(1, (_, tensor: PbfWriter) => {
      tensor.writeVarintField(1, DATA_TYPE.float32);
      tensor.writeMessage(2, (_, shape: PbfWriter) => {
        shape.writeMessage(1, (_, batch: PbfWriter) => batch.writeStringField(2, "batch"), null);
        if (width === undefined) return;
        shape.writeMessage(1, (size: number, d: PbfWriter) => d.writeVarintField(1, size), width);
      }, null);
    }, null);
  }, null);
}

function writeEntry([key, value]: [string, string], entry: PbfWriter): void {
  entry.writeStringField(1, key);
  entry.writeStringField(2, value);
}
