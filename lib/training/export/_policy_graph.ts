/**
 * A whole policy as a graph: normalisation, network, mask.
 *
 * @module
 */
import { StateBuilder } from "../../state/mod.ts";
import type { TrainedPolicy } from "../trained_policy.ts";
import type { GraphWriter } from "./_graph_writer.ts";
import { NetworkGraph, type NetworkGraphOutputs } from "./_network_graph.ts";

/** Logit of a replica that may not be chosen. */
const FORBIDDEN = -1e30;

/** An input or output; the first dimension is the batch, of any size. */
export interface GraphPort {
  /** Name. */
  readonly name: string;
  /** Size of the second dimension; absent for a list of numbers. */
  readonly width?: number;
}

/** What goes in and out of a policy's graph. */
export interface PolicyPorts {
  /** `observations`, `action_mask` and, for recurrent policies, `hidden_states`. */
  readonly inputs: readonly GraphPort[];
  /** `logits`, `values` and, for recurrent policies, `next_hidden_states`. */
  readonly outputs: readonly GraphPort[];
  /** What the observation's numbers mean. */
  readonly metadata: Readonly<Record<"schema_hash" | "feature_names", string>>;
}

/** Ports of a policy's graph. */
export function policyPorts({ config, policy, replicaCount }: TrainedPolicy): PolicyPorts {
  const { size, schemaHash, featureNames } = new StateBuilder(config.state, replicaCount);
  const { hiddenStateSize: width } = policy;
  return {
    inputs: [
      { name: "observations", width: size },
      { name: "action_mask", width: replicaCount },
      ...(width === 0 ? [] : [{ name: "hidden_states", width }]),
    ],
    outputs: [
      { name: "logits", width: replicaCount },
      { name: "values" },
      ...(width === 0 ? [] : [{ name: "next_hidden_states", width }]),
    ],
    metadata: { schema_hash: schemaHash, feature_names: JSON.stringify(featureNames) },
  };
}

/** Writes the graph between the ports. */
export function writePolicyGraph(trained: TrainedPolicy, graph: GraphWriter): void {
  const { config, normalizer, policy, replicaCount } = trained;
  const network = new NetworkGraph(graph, policy.getWeights());
  const inputs = {
    observations: graph.normalize("observations", {
      means: normalizer.means(),
      stds: normalizer.stds(),
      clip: config.normalizer.clip,
    }),
    hiddenStates: "hidden_states",
    actionMask: "action_mask",
  };
  function writeNetwork(): NetworkGraphOutputs {
    switch (config.policy.kind) {
      case "actor_critic":
        return network.actorCritic(config.policy, inputs);
      case "mlp":
        return network.mlp(config.policy, inputs);
      case "replica_scorer": {
        const { layout } = new StateBuilder(config.state, replicaCount);
        return network.replicaScorer(config.policy, inputs, layout);
      }
    }
  }
  const { logits, values, hiddenStates } = writeNetwork();
  graph.output(graph.replaceMasked(logits, "action_mask", FORBIDDEN), "logits");
  graph.output(graph.reshape(values, [-1]), "values");
  if (hiddenStates !== undefined) graph.output(hiddenStates, "next_hidden_states");
}
