/**
 * The policy that a training run begins with.
 *
 * @module
 */
import type { NamedWeights } from "../policy/mod.ts";
import { type NormalizerState, StateBuilder } from "../state/mod.ts";
import { firstDifference } from "./_first_difference.ts";
import { CheckpointError } from "./checkpoint/checkpoint_error.ts";
import { loadCheckpoint } from "./checkpoint/checkpoint_folder.ts";
import type { Scenario } from "./scenario.ts";

/** A policy as plain data. */
export interface InitialPolicy {
  /** Weights of a network of the experiment's configuration. */
  readonly weights: NamedWeights;
  /** Statistics that its observations are normalised with. */
  readonly normalizer: NormalizerState;
}

/**
 * Reads the policy of `training.initialPolicy`. Observations, network, normaliser and number of
 * replicas must be those of the experiment: weights mean nothing otherwise.
 *
 * @returns undefined when the run begins with random weights.
 * @throws {CheckpointError} When the checkpoint cannot be read or one of them differs.
 */
export async function loadInitialPolicy(scenario: Scenario): Promise<InitialPolicy | undefined> {
  const { config, replicas } = scenario;
  const { initialPolicy } = config.training;
  if (initialPolicy === null) return undefined;
  const { path, checkpoint } = await loadCheckpoint(initialPolicy);
  const { schemaHash } = new StateBuilder(config.state, replicas.length);
  const requirements: readonly [name: string, wanted: unknown, found: unknown][] = [
    ["replicaCount", replicas.length, checkpoint.replicaCount],
    ["schemaHash", schemaHash, checkpoint.schemaHash],
    ["policy", config.policy, checkpoint.config.policy],
    ["normalizer", config.normalizer, checkpoint.config.normalizer],
  ];
  for (const [name, wanted, found] of requirements) {
    const difference = firstDifference(wanted, found, [name]);
    if (difference === undefined) continue;
    const [key, wantedJson, foundJson] = difference;
    throw new CheckpointError(
      path,
      `to begin this training with it, its ${key} must be ${wantedJson}, current value is ${foundJson}`,
    );
  }
  return { weights: checkpoint.weights, normalizer: checkpoint.normalizer };
}
