/**
 * Throughput and latency of the whole cluster as a controller would read them off a dashboard.
 *
 * @module
 */
import { z } from "zod";
import type { SimulationObserver } from "../simulator/mod.ts";

/** Over which span of simulated time system metrics are taken. */
export const systemMetricsSchema = z.strictObject({
  scope: z.enum(["window", "lifetime"]).default("window").describe(
    "window: the last windowSeconds; lifetime: everything since time 0, as the original does. " +
      "A lifetime mean hardly moves after a few hundred requests, so it carries no signal.",
  ),
  windowSeconds: z.number().positive().finite().default(8).describe(
    "Length of the window in simulated seconds. 8 s: spec/practice.md section 9.",
  ),
}).prefault({});

/** Typed form of {@linkcode systemMetricsSchema}. */
export type SystemMetricsConfig = z.infer<typeof systemMetricsSchema>;

/**
 * Running throughput, mean end-to-end latency and mean time to first token, over the last
 * `windowSeconds` of simulated time or since time 0. Register it as an observer of the simulator;
 * queries cost O(1) amortised and are allowed at any time that is not before the latest event or
 * query.
 *
 * throughput(t) = |{i : t - w < completed_i <= t}| / min(w, t), 0 for t = 0;
 * latency(t) = mean of (completed_i - arrival_i) over the same requests. When nothing completed
 * inside the window, the mean is that of the latest completion (the value it had just before that
 * request left the window), and 0 before the first. `scope: "lifetime"` is the limit w -> infinity.
 * Source: spec/scheduler.md section 1.2.
 *
 * @example Two completions, one of which has left the window
 * ```ts
 * import { SystemMetrics } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const metrics = new SystemMetrics({ scope: "window", windowSeconds: 2 });
 * metrics.reset([0, 0.5]);
 * metrics.onCompleted(0, 0, 1);
 * metrics.onCompleted(1, 0, 3);
 * assert.equal(metrics.throughput(3.5), 1 / 2);
 * assert.equal(metrics.meanLatencySeconds(3.5), 2.5);
 * ```
 */
export class SystemMetrics implements SimulationObserver {
  readonly #latencies: SlidingMean;
  readonly #ttfts: SlidingMean;
  #arrivalSeconds: ArrayLike<number> = [];

  /** Metrics of a run that has not begun; call {@linkcode SystemMetrics.reset} before it does. */
  constructor(config: SystemMetricsConfig) {
    const windowSeconds = config.scope === "lifetime" ? Infinity : config.windowSeconds;
    this.#latencies = new SlidingMean(windowSeconds);
    this.#ttfts = new SlidingMean(windowSeconds);
  }

  /**
   * Forgets everything and begins a run.
   *
   * @param arrivalSeconds Arrival time of every request of the workload; kept, not copied.
   */
  reset(arrivalSeconds: ArrayLike<number>): void {
    this.#arrivalSeconds = arrivalSeconds;
    this.#latencies.clear();
    this.#ttfts.clear();
  }

  /** Takes in a request's first token. */
  onFirstToken(request: number, _replica: number, nowSeconds: number): void {
    this.#ttfts.add(nowSeconds, nowSeconds - this.#arrival(request));
  }

  /** Takes in a request's completion. */
  onCompleted(request: number, _replica: number, nowSeconds: number): void {
    this.#latencies.add(nowSeconds, nowSeconds - this.#arrival(request));
  }

  /** Requests completed since time 0. */
  get completedCount(): number {
    return this.#latencies.totalCount;
  }

  /**
   * Completed requests per second.
   *
   * @throws {RangeError} When `nowSeconds` is before the latest event or query.
   */
  throughput(nowSeconds: number): number {
    return this.#latencies.rate(nowSeconds);
  }

  /**
   * Mean end-to-end latency in seconds; 0 before the first completion.
   *
   * @throws {RangeError} When `nowSeconds` is before the latest event or query.
   */
  meanLatencySeconds(nowSeconds: number): number {
    return this.#latencies.mean(nowSeconds);
  }

  /**
   * Mean time to first token in seconds, over the first tokens that fall in the window; 0 before
   * the first.
   *
   * @throws {RangeError} When `nowSeconds` is before the latest event or query.
   */
  meanTtftSeconds(nowSeconds: number): number {
    return this.#ttfts.mean(nowSeconds);
  }

  /** Arrival time of a request, which must belong to the workload of the run. */
  #arrival(request: number): number {
    const seconds = this.#arrivalSeconds[request];
    if (seconds === undefined) {
      throw new RangeError(
        `Cannot record an event: request must be below ${this.#arrivalSeconds.length}, the number ` +
          `of requests given to reset(), current value is ${request}`,
      );
    }
    return seconds;
  }
}

/**
 * Count and mean over a sliding window of time. A queue of two halves: the older holds suffix sums,
 * the newer one running sum, so that leaving samples are never subtracted and no rounding error
 * builds up (a running sum with subtraction would drift over a long run).
 */
class SlidingMean {
  readonly #windowSeconds: number;
  #times: number[] = [];
  #values: number[] = [];
  #suffixSums: number[] = [];
  #head = 0;
  #middle = 0;
  #backSum = 0;
  #totalCount = 0;
  #totalSum = 0;
  #lastValue = 0;
  #latestSeconds = 0;

  constructor(windowSeconds: number) {
    this.#windowSeconds = windowSeconds;
  }

  get totalCount(): number {
    return this.#totalCount;
  }

  clear(): void {
    this.#times = [];
    this.#values = [];
    this.#suffixSums = [];
    this.#head = 0;
    this.#middle = 0;
    this.#backSum = 0;
    this.#totalCount = 0;
    this.#totalSum = 0;
    this.#lastValue = 0;
    this.#latestSeconds = 0;
  }

  add(timeSeconds: number, value: number): void {
    this.#advance(timeSeconds);
    this.#totalCount++;
    this.#totalSum += value;
    this.#lastValue = value;
    if (this.#windowSeconds === Infinity) return;
    this.#times.push(timeSeconds);
    this.#values.push(value);
    this.#backSum += value;
  }

  rate(nowSeconds: number): number {
    this.#advance(nowSeconds);
    return nowSeconds > 0 ? this.#count() / Math.min(this.#windowSeconds, nowSeconds) : 0;
  }

  mean(nowSeconds: number): number {
    this.#advance(nowSeconds);
    if (this.#windowSeconds === Infinity) {
      return this.#totalCount > 0 ? this.#totalSum / this.#totalCount : 0;
    }
    const count = this.#count();
    if (count === 0) return this.#lastValue;
    const frontSum = this.#head < this.#middle ? this.#suffixSums[this.#head]! : 0;
    return (frontSum + this.#backSum) / count;
  }

  #count(): number {
    return this.#windowSeconds === Infinity ? this.#totalCount : this.#times.length - this.#head;
  }

  /** Moves the window to end at `nowSeconds`: samples at or before its start leave. */
  #advance(nowSeconds: number): void {
    if (!(nowSeconds >= this.#latestSeconds)) {
      throw new RangeError(
        `Cannot move the metrics window: nowSeconds must be >= ${this.#latestSeconds}, the latest ` +
          `time seen, current value is ${nowSeconds}`,
      );
    }
    this.#latestSeconds = nowSeconds;
    const startSeconds = nowSeconds - this.#windowSeconds;
    while (this.#head < this.#times.length && this.#times[this.#head]! <= startSeconds) {
      if (this.#head === this.#middle) this.#foldBack();
      this.#head++;
    }
  }

  /** Drops what has left and turns the whole newer half into the older one. */
  #foldBack(): void {
    this.#times.splice(0, this.#head);
    this.#values.splice(0, this.#head);
    this.#head = 0;
    this.#backSum = 0;
    this.#middle = this.#values.length;
    this.#suffixSums = new Array<number>(this.#middle);
    let sum = 0;
    for (let i = this.#middle - 1; i >= 0; i--) {
      sum += this.#values[i]!;
      this.#suffixSums[i] = sum;
    }
  }
}
