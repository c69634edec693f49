/**
 * What a training run continues from, beside its policy.
 *
 * @module
 */
import type { ClusterTailState } from "../../metrics/mod.ts";
import type { NamedWeights } from "../../policy/mod.ts";
import type { PpoTrainerState, RewardScalerState } from "../../ppo/mod.ts";
import type { RngState } from "../../random/mod.ts";
import type { NormalizerState } from "../../state/mod.ts";
import type { CreditQueueState } from "../credit_queue.ts";
import type { SchedulingEnvironmentState } from "../scheduling_environment.ts";
import type { TemperatureState } from "../temperature_controller.ts";
import type { VectorEnvironmentState } from "../vector_environment.ts";

/** The policy that a run is held near, as plain data. */
export interface ReferenceState {
  /** Its weights. */
  readonly weights: NamedWeights;
  /** `[N, S]`, its hidden states before the next rollout. */
  readonly hiddenStates: Float32Array;
}

/** The policy that did best in validation so far, as plain data. */
export interface SelectedPolicy {
  /** Updates that it had behind it. */
  readonly update: number;
  /** What policies are chosen by, in seconds. */
  readonly costSeconds: number;
  /** Its weights. */
  readonly weights: NamedWeights;
  /** Statistics of its observations. */
  readonly normalizer: NormalizerState;
}

/**
 * A training run between two updates, as plain data. Rollouts are complete there, so none is in it.
 * Schedules and the curriculum follow from the number of updates done. Simulations are saved as the
 * actions of the episode under way and replayed: everything else in them follows from these.
 */
export interface TrainingState {
  /** Seed that the run's random streams come from. */
  readonly seed: number;
  /** The trainer: the optimisers' moments and statistics of the returns. */
  readonly trainer: PpoTrainerState;
  /** The stream that draws actions. */
  readonly actionRng: RngState;
  /** The stream that shuffles minibatches. */
  readonly minibatchRng: RngState;
  /** Statistics that rewards are scaled by; null = they are not. */
  readonly rewardScaler: RewardScalerState | null;
  /** `[N, S]`, hidden states before the next decisions. */
  readonly hiddenStates: Float32Array;
  /** Decisions that wait for their rewards (reward mode `request`); null = none ever do. */
  readonly openDecisions: CreditQueueState | null;
  /** Sums over the episodes under way. */
  readonly episodes: VectorEnvironmentState;
  /** The simulations, `[N]`. */
  readonly environments: readonly SchedulingEnvironmentState[];
  /** Temperature controllers, `[N]`. */
  readonly temperatures: readonly TemperatureState[];
  /** The policy that the run is held near; absent when it began with random weights. */
  readonly reference?: ReferenceState | undefined;
  /** The policy chosen so far; absent when none was validated or the last one is kept anyway. */
  readonly selected?: SelectedPolicy | undefined;
  /** The tail-latency monitors. */
  readonly tailLatency: ClusterTailState;
}
