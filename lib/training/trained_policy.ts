/**
 * What training leaves: a network and all that it needs to act.
 *
 * @module
 */
import type { ExperimentConfig } from "../config/mod.ts";
import type { Policy } from "../policy/mod.ts";
import type { RunningNormalizer } from "../state/mod.ts";

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
