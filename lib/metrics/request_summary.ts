/**
 * A run in a few numbers.
 *
 * @module
 */
import type { SimulationResult } from "../simulator/mod.ts";
import type { Workload } from "../workload/mod.ts";
import { LatencyDistribution } from "./latency_distribution.ts";
import { requireSameCount } from "./requests_table.ts";
import type { RowOf, TableSchema } from "./table_schema.ts";

/** Latencies, throughput and spread over replicas of one run; over completed requests. */
export interface RequestSummary {
  /** Requests of the workload, those included that a run which was cut off did not come to. */
  readonly requestCount: number;
  /** Requests that did not complete before the run was cut off; the latencies leave them out. */
  readonly unfinishedCount: number;
  /** Mean end-to-end latency in seconds. */
  readonly e2eMeanSeconds: number;
  /** Median end-to-end latency in seconds. */
  readonly e2eP50Seconds: number;
  /** 99th percentile of the end-to-end latency in seconds. */
  readonly e2eP99Seconds: number;
  /** Mean time to first token in seconds. */
  readonly ttftMeanSeconds: number;
  /** 99th percentile of the time to first token in seconds. */
  readonly ttftP99Seconds: number;
  /** Mean time per output token after the first, in seconds; null if no output has two tokens. */
  readonly tpotMeanSeconds: number | null;
  /** 99th percentile of the time per output token in seconds; null if no output has two tokens. */
  readonly tpotP99Seconds: number | null;
  /** Mean time from arrival to the first batch, in seconds. */
  readonly schedulingDelayMeanSeconds: number;
  /** Completed requests per second, from the first arrival to the last completion. */
  readonly requestsPerSecond: number;
  /** Output tokens of completed requests per second, over the same span. */
  readonly outputTokensPerSecond: number;
  /** Preemptions with recomputation, over all requests. */
  readonly restartCount: number;
  /** Share of the routed requests that each replica got, `[replicas]`; sums to 1. */
  readonly replicaShares: readonly number[];
}

/** The columns that {@linkcode summaryColumns} fills, for `trials.parquet`. */
export const summarySchema = {
  requests: "int32",
  unfinished: "int32",
  e2e_mean_seconds: "float64",
  e2e_p50_seconds: "float64",
  e2e_p99_seconds: "float64",
  ttft_mean_seconds: "float64",
  ttft_p99_seconds: "float64",
  tpot_mean_seconds: "float64?",
  tpot_p99_seconds: "float64?",
  scheduling_delay_mean_seconds: "float64",
  requests_per_second: "float64",
  output_tokens_per_second: "float64",
  restarts: "int32",
  replica_shares: "float64[]",
} as const satisfies TableSchema;

/**
 * Summarises a run. Means and quantiles are exact up to {@linkcode EXACT_LATENCIES} requests; beyond,
 * quantiles come from a sketch, within 0.1 % ({@linkcode LatencyDistribution}).
 *
 * @param workload The requests that were fed.
 * @param result What the simulator returned.
 * @param replicaCount Replicas in the cluster.
 * @throws {RangeError} When no request completed: there is no latency to speak of.
 * @throws {TypeError} When the result is of another workload.
 *
 * @example
 * ```ts
 * import { summarizeRequests } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const workload = {
 *   name: "two requests",
 *   count: 2,
 *   arrivalSeconds: Float64Array.of(0, 1),
 *   promptTokens: Int32Array.of(100, 100),
 *   outputTokens: Int32Array.of(3, 1),
 * };
 * const outcomes = {
 *   replica: Int32Array.of(0, 1),
 *   scheduledSeconds: Float64Array.of(0, 1),
 *   firstTokenSeconds: Float64Array.of(1, 2),
 *   completedSeconds: Float64Array.of(4, 2),
 *   executionSeconds: Float64Array.of(4, 1),
 *   modelExecutionSeconds: Float64Array.of(4, 1),
 *   preemptedSeconds: Float64Array.of(0, 0),
 *   restarts: Int32Array.of(0, 0),
 * };
 * const run = { outcomes, endSeconds: 4, batchCount: 4, eventCount: 20, unfinishedCount: 0 };
 * const summary = summarizeRequests(workload, run, 2);
 * assert.equal(summary.e2eMeanSeconds, 2.5);
 * assert.equal(summary.tpotMeanSeconds, 1.5); // three seconds for tokens two and three
 * assert.equal(summary.requestsPerSecond, 0.5);
 * assert.deepEqual(summary.replicaShares, [0.5, 0.5]);
 * ```
 */
export function summarizeRequests(
  workload: Workload,
  result: SimulationResult,
  replicaCount: number,
): RequestSummary {
  return summarizeRuns([{ workload, result }], replicaCount);
}

/**
 * Summarises several runs of one policy: latencies and shares over the requests of all runs, rates
 * as totals over the summed spans.
 *
 * @param runs At least one run.
 * @param replicaCount Replicas in the cluster.
 * @throws {RangeError} When no request completed: there is no latency to speak of.
 * @throws {TypeError} When a result is of another workload.
 */
export function summarizeRuns(
  runs: readonly { readonly workload: Workload; readonly result: SimulationResult }[],
  replicaCount: number,
): RequestSummary {
  const e2e = new LatencyDistribution();
  const ttft = new LatencyDistribution();
  const tpot = new LatencyDistribution();
  const delay = new LatencyDistribution();
  const routed = new Array<number>(replicaCount).fill(0);
  let outputTokens = 0;
  let spanSeconds = 0;
  let requestCount = 0;
  let restartCount = 0;
  let routedCount = 0;
  for (const { workload, result: { outcomes } } of runs) {
    requireSameCount(workload, outcomes);
    requestCount += workload.count;
    let lastCompletion = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < workload.count; i++) {
      restartCount += outcomes.restarts[i]!;
      const replica = outcomes.replica[i]!;
      if (replica >= 0) {
        requireReplica(replica, replicaCount);
        routed[replica]!++;
        routedCount++;
      }
      const completed = outcomes.completedSeconds[i]!;
      if (Number.isNaN(completed)) continue;
      const arrival = workload.arrivalSeconds[i]!;
      const firstToken = outcomes.firstTokenSeconds[i]!;
      const tokens = workload.outputTokens[i]!;
      e2e.add(completed - arrival);
      ttft.add(firstToken - arrival);
      delay.add(outcomes.scheduledSeconds[i]! - arrival);
      if (tokens > 1) tpot.add((completed - firstToken) / (tokens - 1));
      outputTokens += tokens;
      lastCompletion = Math.max(lastCompletion, completed);
    }
    if (lastCompletion > 0) spanSeconds += lastCompletion - workload.arrivalSeconds[0]!;
  }
  if (e2e.count === 0) {
    throw new RangeError(
      `Cannot summarise requests: at least one must have completed, current count is 0 of ${requestCount}`,
    );
  }
  return {
    requestCount,
    unfinishedCount: requestCount - e2e.count,
    e2eMeanSeconds: e2e.mean(),
    e2eP50Seconds: e2e.quantile(0.5),
    e2eP99Seconds: e2e.quantile(0.99),
    ttftMeanSeconds: ttft.mean(),
    ttftP99Seconds: ttft.quantile(0.99),
    tpotMeanSeconds: tpot.count > 0 ? tpot.mean() : null,
    tpotP99Seconds: tpot.count > 0 ? tpot.quantile(0.99) : null,
    schedulingDelayMeanSeconds: delay.mean(),
    requestsPerSecond: e2e.count / spanSeconds,
    outputTokensPerSecond: outputTokens / spanSeconds,
    restartCount,
    replicaShares: routed.map((count) => count / routedCount),
  };
}

/**
 * A summary as the columns of {@linkcode summarySchema}.
 *
 * @returns A new record, to be spread into a row.
 */
export function summaryColumns(summary: RequestSummary): RowOf<typeof summarySchema> {
  return {
    requests: summary.requestCount,
    unfinished: summary.unfinishedCount,
    e2e_mean_seconds: summary.e2eMeanSeconds,
    e2e_p50_seconds: summary.e2eP50Seconds,
    e2e_p99_seconds: summary.e2eP99Seconds,
    ttft_mean_seconds: summary.ttftMeanSeconds,
    ttft_p99_seconds: summary.ttftP99Seconds,
    tpot_mean_seconds: summary.tpotMeanSeconds,
    tpot_p99_seconds: summary.tpotP99Seconds,
    scheduling_delay_mean_seconds: summary.schedulingDelayMeanSeconds,
    requests_per_second: summary.requestsPerSecond,
    output_tokens_per_second: summary.outputTokensPerSecond,
    restarts: summary.restartCount,
    replica_shares: summary.replicaShares,
  };
}

function requireReplica(replica: number, replicaCount: number): void {
  if (replica >= replicaCount) {
    throw new RangeError(
      `Cannot summarise requests: replicaCount must be > ${replica}, the replica of a request, current value is ${replicaCount}`,
    );
  }
}
