/**
 * Quantiles in bounded memory.
 *
 * @module
 */
import { DDSketch } from "@datadog/sketches-js";
import { mean, quantileSorted } from "../stats/mod.ts";

/** Values up to which {@linkcode LatencyDistribution} is exact: 2 MiB. */
export const EXACT_LATENCIES = 2 ** 18;

/** Largest error of a sketched quantile, relative to it: Vidur's (spec/simulator.md section 10). */
const RELATIVE_ACCURACY = 0.001;

const FIRST_CAPACITY = 1024;

/** What may be set. */
export interface LatencyDistributionOptions {
  /** Values up to which quantiles are exact; {@linkcode EXACT_LATENCIES} by default. */
  readonly exactCount?: number;
}

/**
 * Collects durations and tells their mean and quantiles. Up to `exactCount` values all of them are
 * kept and the answers are exact; the next one moves them to a sketch, whose memory does not grow
 * with their number.
 *
 * A sketched quantile is within 0.1 % of a value whose rank is the quantile's, without
 * interpolation between neighbours.
 *
 * Source: Masson et al., "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error
 * Guarantees", VLDB 2019; implementation of Datadog.
 *
 * @example
 * ```ts
 * import { LatencyDistribution } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const exact = new LatencyDistribution();
 * const sketched = new LatencyDistribution({ exactCount: 100 });
 * for (let i = 0; i <= 1000; i++) {
 *   exact.add(i);
 *   sketched.add(i);
 * }
 * assert.equal(exact.quantile(0.99), 990);
 * assert.ok(Math.abs(sketched.quantile(0.99) - 990) <= 0.99);
 * ```
 */
export class LatencyDistribution {
  readonly #exactCount: number;
  #values = new Float64Array(0);
  #sorted: Float64Array | undefined;
  #count = 0;
  #sketch: DDSketch | undefined;

  /** An empty distribution. */
  constructor(options: LatencyDistributionOptions = {}) {
    this.#exactCount = options.exactCount ?? EXACT_LATENCIES;
  }

  /** Values added. */
  get count(): number {
    return this.#count;
  }

  /** Whether all values are kept. */
  get isExact(): boolean {
    return this.#sketch === undefined;
  }

  /**
   * Adds a duration.
   *
   * @param times How often, an integer >= 1; 1 by default. A sketch takes them at once.
   * @throws {RangeError} When it is negative or not finite.
   */
  add(seconds: number, times = 1): void {
    if (!(seconds >= 0 && seconds < Infinity)) {
      throw new RangeError(
        `Cannot add a latency: seconds must be finite and >= 0, current value is ${seconds}`,
      );
    }
    if (this.#sketch === undefined && this.#count + times > this.#exactCount) this.#startSketch();
    if (this.#sketch !== undefined) {
      this.#sketch.accept(seconds, times);
      this.#count += times;
      return;
    }
    for (let i = 0; i < times; i++) {
      this.#keep(seconds);
      this.#count++;
    }
  }

  /**
   * Arithmetic mean.
   *
   * @throws {RangeError} When there is no value.
   */
  mean(): number {
    return this.#sketch === undefined ? mean(this.#kept()) : this.#sketch.sum / this.#count;
  }

  /**
   * The value that a share of all does not exceed: {@linkcode quantileSorted}'s definition while
   * exact.
   *
   * @param probability In [0, 1].
   * @throws {RangeError} When there is no value or no such probability.
   */
  quantile(probability: number): number {
    if (this.#sketch !== undefined) {
      quantileSorted([0], probability); // refuses what is no probability
      return this.#sketch.getValueAtQuantile(probability);
    }
    // A copy: sums in another order would differ in their last digits.
    this.#sorted ??= this.#kept().toSorted();
    return quantileSorted(this.#sorted, probability);
  }

  #kept(): Float64Array {
    return this.#values.subarray(0, this.#count);
  }

  #keep(seconds: number): void {
    if (this.#count === this.#values.length) {
      const grown = new Float64Array(
        Math.min(this.#exactCount, Math.max(FIRST_CAPACITY, 2 * this.#count)),
      );
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#count] = seconds;
    this.#sorted = undefined;
  }

  #startSketch(): void {
    this.#sketch = new DDSketch({ relativeAccuracy: RELATIVE_ACCURACY });
    for (const seconds of this.#kept()) this.#sketch.accept(seconds);
    this.#values = new Float64Array(0);
    this.#sorted = undefined;
  }
}
