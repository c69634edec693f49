/**
 * Watching the slowest requests.
 *
 * @module
 */
import { z } from "zod";
import { quantileSorted } from "../stats/mod.ts";

/** Configuration of {@linkcode TailLatencyMonitor}. Defaults: spec/scheduler.md section 14.3. */
export const tailLatencySchema = z.strictObject({
  windowSamples: z.int().min(1).default(1000).describe("Latest requests that are looked at"),
  minSamples: z.int().min(1).default(10).describe("No alert before so many requests"),
  thresholdSeconds: z.number().positive().finite().default(5).describe(
    "A 99th percentile above this is an alert; a request above it is a violation",
  ),
  cooldownSeconds: z.number().nonnegative().finite().default(30).describe(
    "Simulated seconds from one alert to the next",
  ),
}).prefault({});

/** Typed form of {@linkcode tailLatencySchema}. */
export type TailLatencyConfig = z.infer<typeof tailLatencySchema>;

/** Percentiles of the latest requests. */
export interface TailLatencySummary {
  /** Requests looked at. */
  readonly sampleCount: number;
  /** 90th percentile in seconds. */
  readonly p90Seconds: number;
  /** 95th percentile in seconds. */
  readonly p95Seconds: number;
  /** 99th percentile in seconds. */
  readonly p99Seconds: number;
  /** Share of all requests so far that took longer than the threshold. */
  readonly violationRate: number;
  /** How many those are. */
  readonly violationCount: number;
  /** Alerts so far. */
  readonly alertCount: number;
}

/** The 99th percentile was above the threshold. */
export interface TailLatencyAlert {
  /** Simulated time in seconds. */
  readonly nowSeconds: number;
  /** The percentile in seconds. */
  readonly p99Seconds: number;
  /** The threshold in seconds. */
  readonly thresholdSeconds: number;
}

/** What a {@linkcode TailLatencyMonitor} remembers; plain data for checkpoints. */
export interface TailLatencyState {
  /** Latest latencies in seconds, oldest first. */
  readonly samples: Float64Array;
  /** Requests ever. */
  readonly totalCount: number;
  /** Those above the threshold. */
  readonly violationCount: number;
  /** Alerts so far. */
  readonly alertCount: number;
  /** Simulated time of the last alert in seconds; null = none yet. */
  readonly lastAlertSeconds: number | null;
}

/**
 * Percentiles over the latencies of the latest completed requests, and alerts. Feed it every
 * completion's own latency (the original watches a lifetime mean, which has no tail).
 *
 * Source: spec/scheduler.md section 14.3; percentiles interpolate linearly, as NumPy's default.
 *
 * @example
 * ```ts
 * import { TailLatencyMonitor, tailLatencySchema } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const monitor = new TailLatencyMonitor(tailLatencySchema.parse({ thresholdSeconds: 2 }));
 * for (let i = 0; i <= 100; i++) monitor.add(i / 10);
 * assert.equal(monitor.summary()?.p90Seconds, 9);
 * assert.equal(monitor.check(0)?.thresholdSeconds, 2);
 * assert.equal(monitor.check(29), undefined); // the last alert is 29 s old
 * assert.equal(monitor.check(30)?.nowSeconds, 30);
 * ```
 */
export class TailLatencyMonitor {
  readonly #config: TailLatencyConfig;
  readonly #ring: Float64Array;
  #totalCount = 0;
  #violationCount = 0;
  #alertCount = 0;
  #lastAlertSeconds: number | null = null;

  /** A monitor that has seen nothing. */
  constructor(config: TailLatencyConfig) {
    this.#config = config;
    this.#ring = new Float64Array(config.windowSamples);
  }

  /** Takes in a completed request's end-to-end latency. */
  add(latencySeconds: number): void {
    this.#ring[this.#totalCount % this.#ring.length] = latencySeconds;
    this.#totalCount++;
    if (latencySeconds > this.#config.thresholdSeconds) this.#violationCount++;
  }

  /** The percentiles now; undefined before the first request. Sorts the window. */
  summary(): TailLatencySummary | undefined {
    if (this.#totalCount === 0) return undefined;
    const sorted = this.#samples().sort();
    return {
      sampleCount: sorted.length,
      p90Seconds: quantileSorted(sorted, 0.9),
      p95Seconds: quantileSorted(sorted, 0.95),
      p99Seconds: quantileSorted(sorted, 0.99),
      violationRate: this.#violationCount / this.#totalCount,
      violationCount: this.#violationCount,
      alertCount: this.#alertCount,
    };
  }

  /**
   * An alert, when the 99th percentile is above the threshold and the last alert is old enough.
   *
   * @param nowSeconds Simulated time; not before that of the last call.
   */
  check(nowSeconds: number): TailLatencyAlert | undefined {
    const { minSamples, thresholdSeconds, cooldownSeconds } = this.#config;
    if (this.#totalCount < minSamples) return undefined;
    const last = this.#lastAlertSeconds;
    if (last !== null && nowSeconds - last < cooldownSeconds) return undefined;
    const p99Seconds = quantileSorted(this.#samples().sort(), 0.99);
    if (p99Seconds <= thresholdSeconds) return undefined;
    this.#alertCount++;
    this.#lastAlertSeconds = nowSeconds;
    return { nowSeconds, p99Seconds, thresholdSeconds };
  }

  /** A copy of everything remembered. */
  toJSON(): TailLatencyState {
    return {
      samples: this.#samples(),
      totalCount: this.#totalCount,
      violationCount: this.#violationCount,
      alertCount: this.#alertCount,
      lastAlertSeconds: this.#lastAlertSeconds,
    };
  }

  /**
   * Continues exactly where `state` was taken.
   *
   * @throws {RangeError} When it was taken with another window.
   */
  restore(state: TailLatencyState): void {
    const { samples, totalCount } = state;
    const sampleCount = Math.min(totalCount, this.#ring.length);
    if (samples.length !== sampleCount) {
      throw new RangeError(
        `Cannot restore a tail-latency monitor: samples must have ${sampleCount} entries, current value is ${samples.length}`,
      );
    }
    const first = totalCount - sampleCount;
    samples.forEach((sample, i) => this.#ring[(first + i) % this.#ring.length] = sample);
    this.#totalCount = totalCount;
    this.#violationCount = state.violationCount;
    this.#alertCount = state.alertCount;
    this.#lastAlertSeconds = state.lastAlertSeconds;
  }

  /** Latencies in the window, oldest first, new array. */
  #samples(): Float64Array {
    const count = Math.min(this.#totalCount, this.#ring.length);
    const first = this.#totalCount - count;
    return Float64Array.from(
      { length: count },
      (_, i) => this.#ring[(first + i) % this.#ring.length]!,
    );
  }
}
