/**
 * Averages that forget with time, not with the number of samples.
 *
 * @module
 */

/**
 * Mean of irregular samples with weights that decay in time:
 * m(t) = sum_i x_i exp(-(t - t_i) / tau) / sum_i exp(-(t - t_i) / tau).
 *
 * Unlike m += (1 - exp(-dt / tau)) (x - m), every one of several samples at the same time counts
 * (requests of one batch complete together).
 *
 * @example A sample one time constant old weighs 1/e
 * ```ts
 * import { TimeDecayedMean } from "@signalbox/signalbox/state";
 * import assert from "node:assert/strict";
 *
 * const mean = new TimeDecayedMean(10);
 * mean.add(0, 1);
 * mean.add(10, 3);
 * assert.ok(Math.abs(mean.value - (3 + 1 / Math.E) / (1 + 1 / Math.E)) < 1e-15);
 * ```
 */
export class TimeDecayedMean {
  readonly #tauSeconds: number;
  #weightedSum = 0;
  #weight = 0;
  #latestSeconds = 0;

  /**
   * An average of nothing.
   *
   * @param tauSeconds Time constant, > 0.
   * @throws {RangeError} When it is not.
   */
  constructor(tauSeconds: number) {
    if (!(tauSeconds > 0)) {
      throw new RangeError(
        `Cannot create an average: tauSeconds must be > 0, current value is ${tauSeconds}`,
      );
    }
    this.#tauSeconds = tauSeconds;
  }

  /** Takes in a sample; times must not decrease. */
  add(timeSeconds: number, value: number): void {
    const decay = Math.exp(-(timeSeconds - this.#latestSeconds) / this.#tauSeconds);
    this.#weightedSum = this.#weightedSum * decay + value;
    this.#weight = this.#weight * decay + 1;
    this.#latestSeconds = timeSeconds;
  }

  /** The mean; 0 before the first sample. It does not change between samples. */
  get value(): number {
    return this.#weight > 0 ? this.#weightedSum / this.#weight : 0;
  }

  /** Sum of weights at a time not before the latest sample: an exponentially faded count. */
  weightAt(timeSeconds: number): number {
    return this.#weight * Math.exp(-(timeSeconds - this.#latestSeconds) / this.#tauSeconds);
  }

  /** Forgets every sample. */
  clear(): void {
    this.#weightedSum = 0;
    this.#weight = 0;
    this.#latestSeconds = 0;
  }
}
