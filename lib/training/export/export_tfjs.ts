/**
 * Trained policies for TensorFlow.js.
 *
 * @module
 */
import type { io } from "@tensorflow/tfjs";
import type { TrainedPolicy } from "../trained_policy.ts";
import { type GraphPort, policyPorts, writePolicyGraph } from "./_policy_graph.ts";
import { TfjsWriter } from "./_tfjs_writer.ts";

/** File of the weights, beside `model.json`. */
const WEIGHTS_FILE = "weights.bin";

/** The two files of a model in TensorFlow.js's format. */
export interface TfjsModelFiles {
  /** Graph, names and types of the weights: `model.json`. */
  readonly "model.json": io.ModelJSON;
  /** The weights one after the other, little-endian: `weights.bin`. */
  readonly "weights.bin": Uint8Array<ArrayBuffer>;
}

/**
 * A trained policy as a TensorFlow.js graph model, for `tf.loadGraphModel`. Inputs and outputs are
 * those of {@linkcode exportOnnx}; observations are normalised in float32, as there are no wider
 * floats.
 *
 * @returns Contents of the files, to be written into one folder.
 */
export function exportTfjs(trained: TrainedPolicy): TfjsModelFiles {
  const { inputs, outputs, metadata } = policyPorts(trained);
  const graph = new TfjsWriter(inputs);
  writePolicyGraph(trained, graph);
  const byteCount = graph.weights.reduce((sum, { values }) => sum + values.byteLength, 0);
  const bytes = new Uint8Array(byteCount);
  let offset = 0;
  for (const { values } of graph.weights) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return {
    "model.json": {
      format: "graph-model",
      generatedBy: "signalbox",
      convertedBy: null,
      modelTopology: { node: graph.nodes, library: {}, versions: {} },
      weightsManifest: [{
        paths: [WEIGHTS_FILE],
        weights: graph.weights.map(({ name, shape, dtype }) => ({ name, shape, dtype })),
      }],
      signature: { inputs: signatureOf(inputs), outputs: signatureOf(outputs) },
      userDefinedMetadata: metadata,
    },
    "weights.bin": bytes,
  };
}

/** Names, types and shapes as TensorFlow writes them. */
function signatureOf(ports: readonly GraphPort[]): Record<string, unknown> {
  return Object.fromEntries(ports.map(({ name, width }) => [name, {
    name: `${name}:0`,
    dtype: "DT_FLOAT",
    tensorShape: {
      dim: [-1, ...(width === undefined ? [] : [width])].map((size) => ({ size: String(size) })),
    },
  }]));
}
