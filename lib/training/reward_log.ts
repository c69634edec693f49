/**
 * What rewards were made of, between two updates.
 *
 * @module
 */
import { REWARD_BREAKDOWN_KEYS, type RewardBreakdown } from "../reward/mod.ts";
import type { StateLayout } from "../state/mod.ts";
import type { Environment } from "./environment.ts";
import type { SchedulingEnvironment, SchedulingStep } from "./scheduling_environment.ts";

/** Means over the steps since the last summary. */
export interface RewardSummary {
  /** Mean of every part of the reward. */
  readonly means: RewardBreakdown;
  /** Population standard deviation of the reward. */
  readonly rewardStd: number;
  /** Smallest reward. */
  readonly rewardMin: number;
  /** Largest reward. */
  readonly rewardMax: number;
}

/**
 * An environment that adds up the parts of its rewards.
 */
export class RewardLoggedEnvironment implements Environment {
  /** The environment itself. */
  readonly inner: SchedulingEnvironment;
  /** Width of an observation. */
  readonly observationSize: number;
  /** Number of actions. */
  readonly actionCount: number;
  /** How observations are cut into slices. */
  readonly layout: StateLayout;
  readonly #log: RewardLog;

  /** @param log Where the rewards of all environments of a run are added up. */
  constructor(inner: SchedulingEnvironment, log: RewardLog) {
    this.inner = inner;
    this.observationSize = inner.observationSize;
    this.actionCount = inner.actionCount;
    this.layout = inner.layout;
    this.#log = log;
  }

  /** Starts an episode. */
  reset(observation: Float32Array): void {
    this.inner.reset(observation);
  }

  /** Takes an action and notes its reward. */
  step(action: number, observation: Float32Array): SchedulingStep {
    const step = this.inner.step(action, observation);
    this.#log.add(step.breakdown);
    return step;
  }

  /** Writes which actions are allowed. */
  actionMask(mask: Uint8Array): void {
    this.inner.actionMask(mask);
  }
}

/** Running sums of reward parts. */
export class RewardLog {
  #count = 0;
  #squares = 0;
  #min = Infinity;
  #max = -Infinity;
  readonly #sums = new Map<keyof RewardBreakdown, number>();

  /** Takes in one step's reward. */
  add(breakdown: RewardBreakdown): void {
    this.#count++;
    this.#squares += breakdown.reward * breakdown.reward;
    this.#min = Math.min(this.#min, breakdown.reward);
    this.#max = Math.max(this.#max, breakdown.reward);
    for (const key of REWARD_BREAKDOWN_KEYS) {
      this.#sums.set(key, (this.#sums.get(key) ?? 0) + breakdown[key]);
    }
  }

  /**
   * Means since the last call; begins anew.
   *
   * @throws {RangeError} When nothing was added.
   */
  take(): RewardSummary {
    if (this.#count === 0) {
      throw new RangeError("Cannot summarise rewards: at least one step must have been added");
    }
    const count = this.#count;
    const entries = REWARD_BREAKDOWN_KEYS.map((key) => [key, this.#sums.get(key)! / count]);
    const means = Object.fromEntries(entries) as RewardBreakdown;
    const rewardStd = Math.sqrt(Math.max(0, this.#squares / count - means.reward * means.reward));
    const [rewardMin, rewardMax] = [this.#min, this.#max];
    this.clear();
    return { means, rewardStd, rewardMin, rewardMax };
  }

  /** Forgets what was added. */
  clear(): void {
    this.#count = 0;
    this.#squares = 0;
    this.#min = Infinity;
    this.#max = -Infinity;
    this.#sums.clear();
  }
}
