/**
 * What an update of a training run did.
 *
 * @module
 */
import type { ClusterTailSummary } from "../metrics/mod.ts";
import type { UpdateStats } from "../ppo/mod.ts";
import type { RewardBreakdown } from "../reward/mod.ts";
import type { TrainingWarning } from "./_warnings.ts";
import type { CurriculumPosition } from "./curriculum.ts";

/** One update, for logs and tables. */
export interface UpdateRecord {
  /** Which update, from 1. */
  readonly update: number;
  /** How many there will be. */
  readonly updateCount: number;
  /** Decisions so far, over all environments. */
  readonly decisions: number;
  /** Simulated seconds so far, over all environments. */
  readonly simulatedSeconds: number;
  /** What the trainer did. */
  readonly stats: UpdateStats;
  /** Means of the reward's parts over the rollout. */
  readonly reward: RewardBreakdown;
  /** Standard deviation of the reward over the rollout. */
  readonly rewardStd: number;
  /** Smallest reward of the rollout. */
  readonly rewardMin: number;
  /** Largest reward of the rollout. */
  readonly rewardMax: number;
  /** Mean of the critic's values over the rollout. */
  readonly valueMean: number;
  /** Mean of the returns over the rollout. */
  readonly returnMean: number;
  /** Standard deviation of the advantages over the rollout, before they are normalised. */
  readonly advantageStd: number;
  /** Mean temperature of the decisions. */
  readonly temperature: number;
  /** Completed requests per simulated second during the rollout; NaN when no time passed. */
  readonly throughput: number;
  /** Mean end-to-end latency of requests completed during the rollout; null if there were none. */
  readonly latencyMeanSeconds: number | null;
  /** The slowest of the latest completed requests; null before the first. */
  readonly tailLatency: ClusterTailSummary | null;
  /** How often each replica was chosen in the rollout. */
  readonly actionCounts: readonly number[];
  /** The same as shares, summing to 1. */
  readonly actionShares: readonly number[];
  /** Stage of the curriculum after the update. */
  readonly curriculum: CurriculumPosition;
  /** What a person should look at. */
  readonly warnings: readonly TrainingWarning[];
}
