/**
 * Watching the slowest requests of every replica.
 *
 * @module
 */
import {
  type TailLatencyAlert,
  type TailLatencyConfig,
  TailLatencyMonitor,
  type TailLatencyState,
  type TailLatencySummary,
} from "./tail_latency_monitor.ts";

/** How a percentile differs between replicas; replicas without requests do not count. */
export interface ReplicaSpread {
  /** Of the worst replica, in seconds. */
  readonly maxSeconds: number;
  /** Mean over replicas in seconds. */
  readonly meanSeconds: number;
  /** Population standard deviation over replicas in seconds. */
  readonly stdSeconds: number;
}

/** The slowest of the latest requests, of the cluster and of its replicas. */
export interface ClusterTailSummary {
  /** Of all requests. */
  readonly cluster: TailLatencySummary;
  /** Of each replica; null before its first request. */
  readonly replicas: readonly (TailLatencySummary | null)[];
  /** 90th percentiles over replicas. */
  readonly p90: ReplicaSpread;
  /** 95th percentiles over replicas. */
  readonly p95: ReplicaSpread;
  /** 99th percentiles over replicas. */
  readonly p99: ReplicaSpread;
}

/** What a {@linkcode ClusterTailLatency} remembers; plain data for checkpoints. */
export interface ClusterTailState {
  /** Of all requests. */
  readonly cluster: TailLatencyState;
  /** Of each replica. */
  readonly replicas: readonly TailLatencyState[];
}

/**
 * A {@linkcode TailLatencyMonitor} for all completed requests and one for those of each replica. Only
 * the cluster's raises alerts. Source: the aggregator of spec/scheduler.md section 14.3.
 *
 * @example
 * ```ts
 * import { ClusterTailLatency, tailLatencySchema } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const tails = new ClusterTailLatency(tailLatencySchema.parse({}), 3);
 * tails.add(1, 0);
 * tails.add(3, 2);
 * const { replicas, p99 } = tails.summary()!;
 * assert.equal(replicas[1], null);
 * assert.deepEqual(p99, { maxSeconds: 3, meanSeconds: 2, stdSeconds: 1 });
 * ```
 */
export class ClusterTailLatency {
  readonly #cluster: TailLatencyMonitor;
  readonly #replicas: readonly TailLatencyMonitor[];

  /** Monitors that have seen nothing. */
  constructor(config: TailLatencyConfig, replicaCount: number) {
    this.#cluster = new TailLatencyMonitor(config);
    this.#replicas = Array.from({ length: replicaCount }, () => new TailLatencyMonitor(config));
  }

  /** Takes in a completed request's end-to-end latency. */
  add(latencySeconds: number, replica: number): void {
    this.#cluster.add(latencySeconds);
    this.#replicas[replica]!.add(latencySeconds);
  }

  /** The percentiles now; undefined before the first request. */
  summary(): ClusterTailSummary | undefined {
    const cluster = this.#cluster.summary();
    if (cluster === undefined) return undefined;
    const replicas = this.#replicas.map((monitor) => monitor.summary() ?? null);
    const seen = replicas.filter((summary) => summary !== null);
    return {
      cluster,
      replicas,
      p90: spreadOf(seen.map(({ p90Seconds }) => p90Seconds)),
      p95: spreadOf(seen.map(({ p95Seconds }) => p95Seconds)),
      p99: spreadOf(seen.map(({ p99Seconds }) => p99Seconds)),
    };
  }

  /** See {@linkcode TailLatencyMonitor.check}. */
  check(nowSeconds: number): TailLatencyAlert | undefined {
    return this.#cluster.check(nowSeconds);
  }

  /** A copy of everything remembered. */
  toJSON(): ClusterTailState {
    return {
      cluster: this.#cluster.toJSON(),
      replicas: this.#replicas.map((monitor) => monitor.toJSON()),
    };
  }

  /**
   * Continues exactly where `state` was taken.
   *
   * @throws {RangeError} When it was taken with another window or number of replicas.
   */
  restore(state: ClusterTailState): void {
    if (state.replicas.length !== this.#replicas.length) {
      throw new RangeError(
        `Cannot restore a tail-latency monitor: replicas must have ${this.#replicas.length} entries, current value is ${state.replicas.length}`,
      );
    }
    this.#cluster.restore(state.cluster);
    this.#replicas.forEach((monitor, r) => monitor.restore(state.replicas[r]!));
  }
}

/** Of at least one value. */
function spreadOf(values: readonly number[]): ReplicaSpread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    maxSeconds: Math.max(...values),
    meanSeconds: mean,
    stdSeconds: Math.sqrt(squares / values.length),
  };
}
