/**
 * Trained policies for other runtimes.
 *
 * @module
 */
import { StateBuilder } from "../../state/mod.ts";
import type { TrainedPolicy } from "../trained_policy.ts";
import { OnnxGraph } from "./_onnx_graph.ts";
import { OnnxLayers, type OnnxNetworkInputs, type OnnxNetworkOutputs } from "./_onnx_networks.ts";

/** Logit of a replica that may not be chosen. */
const FORBIDDEN = -1e30;

/**
 * A trained policy as an ONNX model (operator set 20), for one decision of each of `batch` clusters.
 * It normalises observations itself, in float64.
 *
 * | input | shape | |
 * | - | - | - |
 * | `observations` | `[batch, D]` | raw, as a `StateBuilder` of the policy's configuration writes them |
 * | `action_mask` | `[batch, A]` | 1 = the replica may be chosen, 0 = not; at least one 1 a row |
 * | `hidden_states` | `[batch, S]` | recurrent policies only; zeros at the start of a run |
 *
 * | output | shape | |
 * | - | - | - |
 * | `logits` | `[batch, A]` | the largest is the greedy choice; -1e30 where masked |
 * | `values` | `[batch]` | the critic's |
 * | `next_hidden_states` | `[batch, S]` | recurrent policies only; input of the next decision |
 *
 * The model's metadata name the observation's features and their schema.
 *
 * @returns Bytes of an `.onnx` file.
 */
export function exportOnnx(
  { config, policy, normalizer, replicaCount }: TrainedPolicy,
): Uint8Array {
  const builder = new StateBuilder(config.state, replicaCount);
  const { hiddenStateSize } = policy;
  const graph = new OnnxGraph();
  const layers = new OnnxLayers(graph, policy.getWeights());
  const inputs: OnnxNetworkInputs = {
    observations: normalize(graph, normalizer.means(), normalizer.stds(), config.normalizer.clip),
    hiddenStates: "hidden_states",
    actionMask: "action_mask",
  };
  const output = networkOf(layers);

  function networkOf(layers: OnnxLayers): OnnxNetworkOutputs {
    switch (config.policy.kind) {
      case "actor_critic":
        return layers.actorCritic(config.policy, inputs);
      case "mlp":
        return layers.mlp(config.policy, inputs);
      case "replica_scorer":
        return layers.replicaScorer(config.policy, inputs, builder.layout);
    }
  }
  const allowed = graph.add("Cast", ["action_mask"], { to: BOOLEAN });
  const forbidden = graph.floats(Float32Array.of(FORBIDDEN), []);
  graph.rename(graph.add("Where", [allowed, output.logits, forbidden]), "logits");
  graph.rename(graph.add("Squeeze", [output.values, graph.integers(1)]), "values");
  const memory = output.hiddenStates;
  if (memory !== undefined) graph.rename(memory, "next_hidden_states");
  return graph.encode({
    name: `signalbox ${config.policy.kind}`,
    inputs: [
      { name: "observations", width: builder.size },
      { name: "action_mask", width: replicaCount },
      ...(memory === undefined ? [] : [{ name: "hidden_states", width: hiddenStateSize }]),
    ],
    outputs: [
      { name: "logits", width: replicaCount },
      { name: "values" },
      ...(memory === undefined ? [] : [{ name: "next_hidden_states", width: hiddenStateSize }]),
    ],
    metadata: {
      schema_hash: builder.schemaHash,
      feature_names: JSON.stringify(builder.featureNames),
    },
  });
}

/** Codes of element types; source: TensorProto.DataType of onnx.proto. */
const FLOAT32 = 1;
const BOOLEAN = 9;
const FLOAT64 = 11;

/** clip((x - mean) / std, -clip, clip), in float64 as the normaliser does it. */
function normalize(
  graph: OnnxGraph,
  means: Float64Array,
  stds: Float64Array,
  clip: number,
): string {
  const size = [means.length];
  const scales = stds.map((std) => 1 / std);
  const wide = graph.add("Cast", ["observations"], { to: FLOAT64 });
  const centred = graph.add("Sub", [wide, graph.floats(means, size)]);
  const scaled = graph.add("Mul", [centred, graph.floats(scales, size)]);
  const limits = [-clip, clip].map((limit) => graph.floats(Float64Array.of(limit), []));
  return graph.add("Cast", [graph.add("Clip", [scaled, ...limits])], { to: FLOAT32 });
}
