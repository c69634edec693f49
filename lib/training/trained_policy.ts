/**
 * What training leaves: a network and all that it needs to act.
 *
 * @module
 */
import type { ExperimentConfig } from "../config/mod.ts";
import { createPolicy, type Policy } from "../policy/mod.ts";
import { Rng } from "../random/mod.ts";
import { RunningNormalizer, StateBuilder } from "../state/mod.ts";
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

/**
 * Reads a policy to act with: a checkpoint file, or the newest of a folder. Its normaliser is
 * frozen.
 *
 * @throws {CheckpointError} When there is none, it is truncated or altered, its observations mean
 * something else than this version builds, or its weights do not fit its configuration.
 */
export async function loadTrainedPolicy(path: string): Promise<TrainedPolicy> {
  const { path: file, checkpoint } = await loadCheckpoint(path);
  const { config, schemaHash, replicaCount, weights } = checkpoint;
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
  try {
    policy.setWeights(weights);
    const normalizer = RunningNormalizer.fromJSON(checkpoint.normalizer, config.normalizer);
    normalizer.freeze();
    return { config, policy, normalizer, schemaHash, replicaCount };
  } catch (cause) {
    policy.dispose();
    throw new CheckpointError(file, (cause as Error).message, { cause });
  }
}
