/**
 * How batches differ.
 *
 * @module
 */
import type { BatchRecord, ReplicaSpec, SimulationObserver } from "../simulator/mod.ts";
import { LatencyDistribution, type LatencyDistributionOptions } from "./latency_distribution.ts";

/**
 * Observer that collects durations and sizes of batches, over all replicas.
 *
 * Source: spec/simulator.md section 10, batch metrics.
 *
 * @example
 * ```ts
 * import { BatchDistributions } from "@signalbox/signalbox/metrics";
 * import { buildCluster, clusterSchema, Simulator } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const replicas = buildCluster(clusterSchema.parse({}));
 * const workload = {
 *   name: "one request",
 *   count: 1,
 *   arrivalSeconds: Float64Array.of(0),
 *   promptTokens: Int32Array.of(700),
 *   outputTokens: Int32Array.of(3),
 * };
 * const batches = new BatchDistributions(replicas);
 * new Simulator(workload, replicas, { observers: [batches] }).run(() => 0);
 * assert.equal(batches.tokens.count, 4); // chunks of 512 and 188, two decodes
 * assert.equal(batches.tokens.quantile(1), 512);
 * assert.equal(batches.requests.mean(), 1);
 * ```
 */
export class BatchDistributions implements SimulationObserver {
  /** Seconds from forming a batch to its leaving the last stage. */
  readonly seconds: LatencyDistribution;
  /** Requests in a batch. */
  readonly requests: LatencyDistribution;
  /** Tokens that a batch computes. */
  readonly tokens: LatencyDistribution;
  /** Prompt tokens among them. */
  readonly prefillTokens: LatencyDistribution;
  /** Decodes among them. */
  readonly decodeTokens: LatencyDistribution;
  readonly #replicas: readonly ReplicaSpec[];

  /**
   * Nothing measured yet.
   *
   * @param replicas The cluster that is watched.
   */
  constructor(replicas: readonly ReplicaSpec[], options: LatencyDistributionOptions = {}) {
    this.#replicas = replicas;
    this.seconds = new LatencyDistribution(options);
    this.requests = new LatencyDistribution(options);
    this.tokens = new LatencyDistribution(options);
    this.prefillTokens = new LatencyDistribution(options);
    this.decodeTokens = new LatencyDistribution(options);
  }

  /** Takes a batch in when it leaves the last stage. */
  onBatchStageEnd(record: BatchRecord): void {
    if (record.stage < this.#replicas[record.replica]!.stageCount - 1) return;
    const { totalTokens } = record.shape;
    this.seconds.add(record.endSeconds - record.formedSeconds);
    this.requests.add(record.requestCount);
    this.tokens.add(totalTokens);
    this.prefillTokens.add(record.prefillTokens);
    this.decodeTokens.add(totalTokens - record.prefillTokens);
  }
}
