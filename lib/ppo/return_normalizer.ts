/**
 * Values in units of the returns' own mean and deviation.
 *
 * @module
 */

/** Smallest deviation that values are divided by. */
const EPSILON = 1e-8;

/** What a normaliser remembers; plain data for checkpoints. */
export interface ReturnNormalizerState {
  /** Returns seen. */
  readonly count: number;
  /** Their mean. */
  readonly mean: number;
  /** Their summed squared deviation from the mean. */
  readonly squaredDeviation: number;
}

/**
 * Running mean and population deviation of all returns seen, in float64. The deviation counts as 1
 * until two different returns have been seen.
 *
 * A critic that predicts (R - mean) / deviation has a loss of about 1 whatever the reward is
 * measured in, so that the value loss cannot crowd out the policy's in a shared network or under a
 * shared clip of the gradient.
 *
 * Source: van Hasselt et al., "Learning values across many orders of magnitude" (2016), with plain
 * running moments (Welford, 1962) in place of exponential ones.
 *
 * @example
 * ```ts
 * import { ReturnNormalizer } from "@signalbox/signalbox/ppo";
 * import assert from "node:assert/strict";
 *
 * const normalizer = new ReturnNormalizer();
 * normalizer.update([-30, -10]);
 * assert.deepEqual([...normalizer.normalize([-20, 0])], [0, 2]);
 * assert.deepEqual([...normalizer.denormalize([0, 2])], [-20, 0]);
 * ```
 */
export class ReturnNormalizer {
  #count = 0;
  #mean = 0;
  #squaredDeviation = 0;

  /** Mean of the returns seen; 0 before the first. */
  get mean(): number {
    return this.#mean;
  }

  /** Their population deviation; 1 where that would be 0. */
  get deviation(): number {
    const deviation = this.#count === 0 ? 0 : Math.sqrt(this.#squaredDeviation / this.#count);
    return deviation > EPSILON ? deviation : 1;
  }

  /**
   * Takes in returns, in order.
   *
   * @throws {RangeError} When one is not finite; nothing is taken in then.
   */
  update(returns: Float32Array | readonly number[]): void {
    const wrong = returns.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) {
      throw new RangeError(
        `Cannot normalize returns: returns[${wrong}] must be finite, current value is ${
          returns[wrong]
        }`,
      );
    }
    for (const value of returns) {
      this.#count++;
      const fromOldMean = value - this.#mean;
      this.#mean += fromOldMean / this.#count;
      this.#squaredDeviation += fromOldMean * (value - this.#mean);
    }
  }

  /** Returns, or values in their units, to units of the critic; a new array. */
  normalize(values: ArrayLike<number>): Float32Array {
    const { mean, deviation } = this;
    return Float32Array.from(values, (value) => (value - mean) / deviation);
  }

  /** The critic's output to units of the returns; a new array. */
  denormalize(values: ArrayLike<number>): Float32Array {
    const { mean, deviation } = this;
    return Float32Array.from(values, (value) => deviation * value + mean);
  }

  /** A copy of everything remembered. */
  getState(): ReturnNormalizerState {
    return { count: this.#count, mean: this.#mean, squaredDeviation: this.#squaredDeviation };
  }

  /** Continues from a saved state. */
  setState({ count, mean, squaredDeviation }: ReturnNormalizerState): void {
    this.#count = count;
    this.#mean = mean;
    this.#squaredDeviation = squaredDeviation;
  }
}
