/**
 * What training leaves: a network and all that it needs to act.
 *
 * @module
 */
import type { ExperimentConfig } from "../config/mod.ts";
import { createPolicy, fixedSizeReason, type Policy } from "../policy/mod.ts";
import { Rng } from "../random/mod.ts";
import { RunningNormalizer, sharedStatisticSlots, StateBuilder } from "../state/mod.ts";
import { UsageError } from "../support/mod.ts";
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { CheckpointError } from "./checkpoint/checkpoint_error.ts";
import { loadCheckpoint } from "./checkpoint/checkpoint_folder.ts";

/** A policy that can act on its own; free it with {@linkcode Policy.dispose}. */
export interface TrainedPolicy {
  /** The experiment it was trained in. */
  readonly config: ExperimentConfig;
  /** The network. */
  readonly policy: Policy;
  /** Statistics of the observations, frozen. */
  readonly normalizer: RunningNormalizer;
  /** Fingerprint of the meaning of its observations. */
  readonly schemaHash: string;
  /** Replicas that it chooses between. */
  readonly replicaCount: number;
}

/**
 * A checkpoint that a policy can act from, but whose training cannot go on.
 *
 * @param progress Updates and decisions done.
 */
export function policyCheckpoint(
  trained: TrainedPolicy,
  progress: { readonly update: number; readonly decisions: number },
): Checkpoint {
  const { config, policy, normalizer, schemaHash, replicaCount } = trained;
  return {
    config,
    schemaHash,
    replicaCount,
    weights: policy.getWeights(),
    normalizer: normalizer.toJSON(),
    training: null,
    score: null,
    ...progress,
  };
}

/** What to act with: the policy that validation chose, if it did, or else the newest. */
export function actingPart(
  checkpoint: Checkpoint,
): Pick<Checkpoint, "weights" | "normalizer"> {
  const { weights, normalizer } = checkpoint.training?.selected ?? checkpoint;
  return { weights, normalizer };
}

/**
 * Why what was trained belongs to one number of replicas: its network has parameters for each of
 * them, or its normaliser statistics.
 *
 * @returns A reason for an error message; undefined when it serves clusters of any size.
 */
export function clusterSizeReason(
  config: Pick<ExperimentConfig, "policy" | "normalizer">,
): string | undefined {
  const reason = fixedSizeReason(config.policy);
  if (reason !== undefined || config.normalizer.shareReplicas) return reason;
  return "normalizer.shareReplicas false keeps statistics of every replica";
}

/**
 * The same policy for clusters of another size. It shares weights and statistics with the one given:
 * free one of the two.
 *
 * @throws {UsageError} When it belongs to one number of replicas, with the reason.
 */
export function resizeTrainedPolicy(trained: TrainedPolicy, replicaCount: number): TrainedPolicy {
  if (replicaCount === trained.replicaCount) return trained;
  const { config, policy, normalizer } = trained;
  const reason = clusterSizeReason(config);
  if (reason !== undefined) {
    throw new UsageError(
      `Cannot use the policy: the cluster must have ${trained.replicaCount} replicas, as in its ` +
        `training, since ${reason}, current number is ${replicaCount}`,
    );
  }
  const { layout } = new StateBuilder(config.state, replicaCount);
  return {
    ...trained,
    replicaCount,
    policy: policy.resized(replicaCount),
    normalizer: normalizer.withSlots(sharedStatisticSlots(layout)),
  };
}

/** How a policy is read. */
export interface LoadPolicyOptions {
  /** Replicas of the cluster to act in; those of its training when left out. */
  readonly replicaCount?: number;
}

/**
 * Reads a policy to act with: a checkpoint file, or the newest of a folder. Of a run that chooses on
 * validation arrivals it is the policy chosen by then. Its normaliser is frozen.
 *
 * @throws {UsageError} When it cannot serve a cluster of `replicaCount` replicas, with the reason.
 * @throws {CheckpointError} When there is none, it is truncated or altered, its observations mean
 * something else than this version builds, or its weights do not fit its configuration.
 */
export async function loadTrainedPolicy(
  path: string,
  { replicaCount: wantedCount }: LoadPolicyOptions = {},
): Promise<TrainedPolicy> {
  const { path: file, checkpoint } = await loadCheckpoint(path);
  const { config, schemaHash, replicaCount } = checkpoint;
  const { weights, normalizer: statistics } = actingPart(checkpoint);
  const { layout, schemaHash: expected } = new StateBuilder(config.state, replicaCount);
  if (schemaHash !== expected) {
    throw new CheckpointError(
      file,
      `its observations must have the schema ${expected}, current value is ${schemaHash}`,
    );
  }
  const policy = createPolicy(
    config.policy,
    { observationSize: layout.size, actionCount: replicaCount, replicaLayout: layout },
    new Rng(0),
  );
  let trained: TrainedPolicy;
  try {
    policy.setWeights(weights);
    const normalizer = RunningNormalizer.fromJSON(statistics, config.normalizer);
    normalizer.freeze();
    trained = { config, policy, normalizer, schemaHash, replicaCount };
  } catch (cause) {
    policy.dispose();
    throw new CheckpointError(file, (cause as Error).message, { cause });
  }
  try {
    return resizeTrainedPolicy(trained, wantedCount ?? replicaCount);
  } catch (error) {
    policy.dispose();
    throw error;
  }
}
