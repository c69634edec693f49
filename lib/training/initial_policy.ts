/**
 * The policy that a training run begins with.
 *
 * @module
 */
import type { NamedWeights } from "../policy/mod.ts";
import {
  type NormalizerState,
  RunningNormalizer,
  sharedStatisticSlots,
  StateBuilder,
} from "../state/mod.ts";
import { firstDifference } from "./_first_difference.ts";
import { CheckpointError } from "./checkpoint/checkpoint_error.ts";
import { loadCheckpoint } from "./checkpoint/checkpoint_folder.ts";
import type { Scenario } from "./scenario.ts";
import { actingPart, clusterSizeReason } from "./trained_policy.ts";
import { largestReplicaCount } from "./training_task.ts";

/** A policy as plain data. */
export interface InitialPolicy {
  /** Weights of a network of the experiment's configuration. */
  readonly weights: NamedWeights;
  /** Statistics that its observations are normalised with. */
  readonly normalizer: NormalizerState;
}

/**
 * Reads the policy of `training.initialPolicy`. Observations, network and normaliser must be
 * those of the experiment: weights mean nothing otherwise. So must the number of replicas, unless
 * weights and statistics are shared by all of them.
 *
 * @returns undefined when the run begins with random weights.
 * @throws {CheckpointError} When the checkpoint cannot be read or one of them differs.
 */
export async function loadInitialPolicy(scenario: Scenario): Promise<InitialPolicy | undefined> {
  const { config, trainingTasks } = scenario;
  const { initialPolicy } = config.training;
  if (initialPolicy === null) return undefined;
  const { path, checkpoint } = await loadCheckpoint(initialPolicy);
  const replicaCount = largestReplicaCount(trainingTasks);
  const { layout, schemaHash } = new StateBuilder(config.state, replicaCount);
  const servesAnySize = clusterSizeReason(config) === undefined;
  const requirements: readonly [name: string, wanted: unknown, found: unknown][] = [
    ["replicaCount", replicaCount, servesAnySize ? replicaCount : checkpoint.replicaCount],
    ["policy", config.policy, checkpoint.config.policy],
    ["schemaHash", schemaHash, checkpoint.schemaHash],
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
  const { weights, normalizer } = actingPart(checkpoint);
  if (checkpoint.replicaCount === replicaCount) return { weights, normalizer };
  const resized = RunningNormalizer.fromJSON(normalizer, config.normalizer)
    .withSlots(sharedStatisticSlots(layout));
  return { weights, normalizer: resized.toJSON() };
}
