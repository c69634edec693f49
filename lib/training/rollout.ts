/**
 * Gathering experience.
 *
 * @module
 */
import type { Policy, Prediction } from "../policy/mod.ts";
import {
  type PpoConfig,
  type ReturnNormalizer,
  type RewardScaler,
  RolloutBuffer,
  type RolloutStep,
} from "../ppo/mod.ts";
import type { Rng } from "../random/mod.ts";
import type { EpisodeRecord, VectorEnvironment, VectorStep } from "./vector_environment.ts";

/** Watches the steps of a rollout. */
export interface RolloutWatcher {
  /** Actions have been chosen; the environments are where they were. Arrays are reused. */
  onDecided(step: RolloutStep): void;
  /** The environments have moved on. */
  onStepped(): void;
}

/** How a rollout is gathered. */
export interface RolloutOptions {
  /** Filled and finished by the rollout; carries the hidden states from one to the next. */
  readonly buffer: RolloutBuffer;
  /** Draws the actions. */
  readonly rng: Rng;
  /** Discount and decay of the advantages. */
  readonly config: Pick<PpoConfig, "gamma" | "gaeLambda">;
  /** Temperature of an environment's next decision, > 0; default 1 everywhere. */
  readonly temperature?: ((environmentIndex: number) => number) | undefined;
  /** Scales rewards before they are stored; default: stored as they are. */
  readonly rewardScaler?: RewardScaler | undefined;
  /** Brings the policy's values to units of returns; default: they are. */
  readonly returnNormalizer?: ReturnNormalizer | undefined;
  /** Watches every step. */
  readonly watcher?: RolloutWatcher | undefined;
}

/** What a rollout was like; rewards as the environments gave them. */
export interface RolloutStats {
  /** Decisions, T N. */
  readonly decisionCount: number;
  /** Mean reward of a decision. */
  readonly rewardMean: number;
  /** Smallest reward. */
  readonly rewardMin: number;
  /** Largest reward. */
  readonly rewardMax: number;
  /** Mean temperature of a decision. */
  readonly temperatureMean: number;
  /** `[A]`, how often each action was chosen. */
  readonly actionCounts: Int32Array;
  /** Episodes that ended, in the order of their ends. */
  readonly episodes: readonly EpisodeRecord[];
}

/**
 * A buffer that fits a policy and a trainer's configuration.
 *
 * @throws {RangeError} When `sequenceLength` does not divide `rolloutLength`.
 */
export function createRolloutBuffer(
  policy: Policy,
  config: Pick<PpoConfig, "rolloutLength" | "sequenceLength">,
  { environmentCount }: { readonly environmentCount: number },
): RolloutBuffer {
  const { observationSize, actionCount, hiddenStateSize } = policy;
  const { rolloutLength } = config;
  return new RolloutBuffer({
    rolloutLength,
    environmentCount,
    observationSize,
    actionCount,
    hiddenStateSize,
    sequenceLength: hiddenStateSize === 0 ? 1 : config.sequenceLength ?? rolloutLength,
  });
}

/**
 * Fills the buffer with T steps of every environment under the policy and computes advantages and
 * returns. Episodes go on from the last rollout; where one is cut off (truncated), the value of its
 * last state stands for what would have followed.
 *
 * @returns Statistics of the rollout; the decisions are in the buffer.
 * @throws {RangeError} When shapes do not fit.
 */
export function collectRollout(
  policy: Policy,
  environments: VectorEnvironment,
  options: RolloutOptions,
): RolloutStats {
  const { buffer, rng, config, temperature, returnNormalizer, watcher } = options;
  const { observations, episodeStarts, actionMasks, count } = environments;
  const temperatures = new Float32Array(count);
  const rewards = new RewardRange();
  if (!environments.isReset) environments.reset();
  buffer.clear();
  while (!buffer.isFull) {
    for (let n = 0; n < count; n++) temperatures[n] = temperature?.(n) ?? 1;
    const decision = inReturnUnits(
      policy.act(observations, {
        hiddenStates: buffer.hiddenStates,
        episodeStarts,
        actionMasks,
        temperatures,
        sampler: rng,
      }),
      returnNormalizer,
    );
    const decided = { observations, episodeStarts, actionMasks, temperatures, decision };
    buffer.addDecision(decided);
    watcher?.onDecided(decided);
    const step = environments.step(decision.actions);
    watcher?.onStepped();
    rewards.add(step.rewards);
    buffer.addOutcome({
      rewards: scaleRewards(step, options.rewardScaler),
      terminated: step.terminated,
      truncated: step.truncated,
      truncationValues: truncationValues(policy, step, {
        hiddenStates: decision.hiddenStates,
        returnNormalizer,
      }),
      discounts: step.discounts.map((given) => Number.isNaN(given) ? config.gamma : given),
    });
  }
  const { values } = inReturnUnits(
    policy.predict(observations, {
      hiddenStates: buffer.hiddenStates,
      episodeStarts,
      actionMasks,
    }),
    returnNormalizer,
  );
  buffer.finish(values, config);
  return describeRollout(buffer, rewards, environments);
}

/** What a rollout that filled the buffer was like; hands on the episodes that ended. */
export function describeRollout(
  { actions, temperatures, shape }: RolloutBuffer,
  rewards: RewardRange,
  environments: VectorEnvironment,
): RolloutStats {
  return {
    decisionCount: actions.length,
    ...rewards.summary(),
    temperatureMean: temperatures.reduce((sum, value) => sum + value, 0) / actions.length,
    actionCounts: countActions(actions, shape.actionCount),
    episodes: environments.takeEpisodes(),
  };
}

/** Mean and range of all rewards. */
export class RewardRange {
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = -Infinity;

  /** Takes in the rewards of one step. */
  add(rewards: Float64Array): void {
    for (const reward of rewards) {
      this.#count++;
      this.#sum += reward;
      this.#min = Math.min(this.#min, reward);
      this.#max = Math.max(this.#max, reward);
    }
  }

  /** Mean, smallest and largest so far. */
  summary(): Pick<RolloutStats, "rewardMean" | "rewardMin" | "rewardMax"> {
    return { rewardMean: this.#sum / this.#count, rewardMin: this.#min, rewardMax: this.#max };
  }
}

/** Rewards as stored, `[N]`. */
function scaleRewards(step: VectorStep, scaler: RewardScaler | undefined): Float64Array {
  if (scaler === undefined) return step.rewards;
  const ends = step.terminated.map((terminated, n) => terminated | step.truncated[n]!);
  return scaler.scale(step.rewards, ends);
}

/** A prediction whose values are in units of returns. */
export function inReturnUnits<Output extends Prediction>(
  prediction: Output,
  normalizer: ReturnNormalizer | undefined,
): Output {
  if (normalizer === undefined) return prediction;
  return { ...prediction, values: normalizer.denormalize(prediction.values) };
}

/** V of the last states of episodes that were cut off, `[N]`, 0 elsewhere. */
function truncationValues(
  policy: Policy,
  { truncated, finalObservations }: VectorStep,
  { hiddenStates, returnNormalizer }: {
    readonly hiddenStates: Float32Array;
    readonly returnNormalizer: ReturnNormalizer | undefined;
  },
): Float32Array {
  if (!truncated.includes(1)) return new Float32Array(truncated.length);
  const { values } = inReturnUnits(
    policy.predict(finalObservations, { hiddenStates }),
    returnNormalizer,
  );
  return values.map((value, n) => truncated[n] === 1 ? value : 0);
}

/** How often each action occurs, `[A]`. */
function countActions(actions: Int32Array, actionCount: number): Int32Array {
  const counts = new Int32Array(actionCount);
  for (const action of actions) counts[action]!++;
  return counts;
}
