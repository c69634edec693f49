/**
 * Rewards of about unit size, with their sign and zero kept.
 *
 * @module
 */

/** Keeps the first rewards from being divided by 0. */
const EPSILON = 1e-8;

/** What a scaler remembers; plain data for checkpoints. */
export interface RewardScalerState {
  /** `[N]`, discounted return so far of every environment. */
  readonly returns: readonly number[];
  /** Returns seen. */
  readonly count: number;
  /** Their mean. */
  readonly mean: number;
  /** Their summed squared deviation from the mean. */
  readonly squaredDeviation: number;
}

/**
 * Divides rewards by the running standard deviation of the discounted return. No mean is
 * subtracted: that would turn small positive rewards into punishments.
 *
 * Source: detail 6 (reward scaling) of the continuous-control part of "The 37 implementation
 * details of PPO", as gymnasium's NormalizeReward; moments after Welford (1962).
 *
 * @example
 * ```ts
 * import { RewardScaler } from "@signalbox/signalbox/ppo";
 * import assert from "node:assert/strict";
 *
 * const scaler = new RewardScaler({ environmentCount: 1, gamma: 0, clip: null });
 * scaler.scale([3], [0]);
 * const [scaled] = scaler.scale([1], [0]); // deviation of {3, 1} is 1
 * assert.ok(Math.abs(scaled! - 1) < 1e-6);
 * ```
 */
export class RewardScaler {
  readonly #gamma: number;
  readonly #clip: number | null;
  readonly #returns: Float64Array;
  #count = 0;
  #mean = 0;
  #squaredDeviation = 0;

  /**
   * A scaler that has seen nothing.
   *
   * @param options.gamma Discount of the returns.
   * @param options.clip Scaled rewards are clipped to -+ this; null = not.
   */
  constructor(
    { environmentCount, gamma, clip }: {
      readonly environmentCount: number;
      readonly gamma: number;
      readonly clip: number | null;
    },
  ) {
    this.#gamma = gamma;
    this.#clip = clip;
    this.#returns = new Float64Array(environmentCount);
  }

  /**
   * Takes note of one step's rewards and scales them. Until two different returns have been seen,
   * rewards pass unscaled.
   *
   * @param rewards `[N]`.
   * @param ends `[N]`, 1 where the step ended an episode.
   * @returns `[N]`, new array.
   */
  scale(rewards: ArrayLike<number>, ends: ArrayLike<number>): Float64Array {
    for (let n = 0; n < this.#returns.length; n++) {
      const value = this.#gamma * this.#returns[n]! + rewards[n]!;
      this.#count++;
      const fromOldMean = value - this.#mean;
      this.#mean += fromOldMean / this.#count;
      this.#squaredDeviation += fromOldMean * (value - this.#mean);
      this.#returns[n] = ends[n] === 1 ? 0 : value;
    }
    const deviation = Math.sqrt(this.#squaredDeviation / this.#count);
    const divisor = deviation > EPSILON ? deviation : 1;
    const limit = this.#clip ?? Infinity;
    return Float64Array.from(
      rewards,
      (reward) => Math.min(limit, Math.max(-limit, reward / divisor)),
    );
  }

  /** A copy of everything remembered. */
  getState(): RewardScalerState {
    return {
      returns: [...this.#returns],
      count: this.#count,
      mean: this.#mean,
      squaredDeviation: this.#squaredDeviation,
    };
  }

  /**
   * Continues from a saved state.
   *
   * @throws {RangeError} When it is of another number of environments.
   */
  setState(state: RewardScalerState): void {
    if (state.returns.length !== this.#returns.length) {
      throw new RangeError(
        `Cannot restore the reward scaler: returns must have ${this.#returns.length} entries, current value is ${state.returns.length}`,
      );
    }
    this.#returns.set(state.returns);
    this.#count = state.count;
    this.#mean = state.mean;
    this.#squaredDeviation = state.squaredDeviation;
  }
}
