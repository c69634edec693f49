/**
 * Trained policies for ONNX runtimes.
 *
 * @module
 */
import type { TrainedPolicy } from "../trained_policy.ts";
import { OnnxGraph } from "./_onnx_graph.ts";
import { OnnxWriter } from "./_onnx_writer.ts";
import { policyPorts, writePolicyGraph } from "./_policy_graph.ts";

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
export function exportOnnx(trained: TrainedPolicy): Uint8Array {
  const graph = new OnnxGraph();
  writePolicyGraph(trained, new OnnxWriter(graph));
  return graph.encode(`signalbox ${trained.config.policy.kind}`, policyPorts(trained));
}
