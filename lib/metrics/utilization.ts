/**
 * How well replicas are used.
 *
 * @module
 */
import {
  batchFlops,
  type BatchRecord,
  type ReplicaSpec,
  type SimulationObserver,
} from "../simulator/mod.ts";

/** Use of one replica over a run. */
export interface ReplicaUtilization {
  /** Share of the time that each stage computed, `[stageCount]`, in [0, 1]. */
  readonly busyFraction: readonly number[];
  /**
   * Model FLOP utilisation of each stage, `[stageCount]`: operations that its batches needed
   * ({@linkcode batchFlops}) over what its GPUs could do in all of the time; null when the replica
   * does not say what its stages compute. Divide by `busyFraction` for the MFU while computing.
   */
  readonly mfu: readonly number[] | null;
  /** Mean over time of the share of KV blocks in use, in [0, 1]. */
  readonly kvMeanFraction: number;
  /** Largest share of KV blocks ever in use, in [0, 1]. */
  readonly kvMaxFraction: number;
  /** Batches that left the last stage. */
  readonly batchCount: number;
  /** Mean number of requests in them, 0 without any. */
  readonly meanBatchRequests: number;
  /** Mean number of tokens that they computed, 0 without any. */
  readonly meanBatchTokens: number;
  /** Prompt tokens computed, recomputation included. */
  readonly prefillTokens: number;
  /** Decode steps computed. */
  readonly decodeTokens: number;
}

/** Running sums of one replica. */
interface Sums {
  readonly busySeconds: number[];
  readonly flops: number[];
  kvBlockSeconds: number;
  kvBlocksMax: number;
  batchCount: number;
  requests: number;
  prefillTokens: number;
  decodeTokens: number;
  /** The batch before: its blocks are held until the next is formed or it ends. */
  lastFormedSeconds: number;
  lastEndSeconds: number;
  lastKvBlocks: number;
}

/**
 * Observer that measures the use of every replica in constant memory. Means are over the whole time
 * since 0, idle time included; Vidur leaves out the time before the first sample and after the last
 * (spec/simulator.md section 10). Work that a failure destroys does not count.
 *
 * @example A replica that computes half of the time
 * ```ts
 * import { UtilizationMeter } from "@signalbox/signalbox/metrics";
 * import { buildCluster, clusterSchema, Simulator } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const replicas = buildCluster(clusterSchema.parse({ replicas: [{ gpu: "a100" }] }));
 * const workload = {
 *   name: "one request",
 *   count: 1,
 *   arrivalSeconds: Float64Array.of(0),
 *   promptTokens: Int32Array.of(1000),
 *   outputTokens: Int32Array.of(100),
 * };
 * const meter = new UtilizationMeter(replicas);
 * const { endSeconds } = new Simulator(workload, replicas, { observers: [meter] }).run(() => 0);
 * const [use] = meter.summarize(2 * endSeconds);
 * assert.ok(Math.abs(use!.busyFraction[0]! - 0.5) < 1e-9);
 * assert.equal(use!.prefillTokens, 1000);
 * assert.ok(use!.mfu![0]! > 0.01 && use!.mfu![0]! < 0.1); // one decode at a time
 * assert.equal(use!.decodeTokens, 99);
 * ```
 */
export class UtilizationMeter implements SimulationObserver {
  readonly #replicas: readonly ReplicaSpec[];
  readonly #sums: readonly Sums[];

  /**
   * Nothing measured yet.
   *
   * @param replicas The cluster that is watched.
   */
  constructor(replicas: readonly ReplicaSpec[]) {
    this.#replicas = replicas;
    this.#sums = replicas.map(({ stageCount }) => ({
      busySeconds: Array.from({ length: stageCount }, () => 0),
      flops: Array.from({ length: stageCount }, () => 0),
      kvBlockSeconds: 0,
      kvBlocksMax: 0,
      batchCount: 0,
      requests: 0,
      prefillTokens: 0,
      decodeTokens: 0,
      lastFormedSeconds: 0,
      lastEndSeconds: 0,
      lastKvBlocks: 0,
    }));
  }

  /** Takes the stage execution into the sums. */
  onBatchStageEnd(record: BatchRecord): void {
    const sums = this.#sums[record.replica]!;
    const { flops } = this.#replicas[record.replica]!;
    sums.busySeconds[record.stage]! += record.endSeconds - record.startSeconds;
    if (flops !== undefined) sums.flops[record.stage]! += batchFlops(flops, record.shape);
    if (record.stage < sums.busySeconds.length - 1) return;
    sums.batchCount++;
    sums.requests += record.requestCount;
    sums.prefillTokens += record.prefillTokens;
    sums.decodeTokens += record.shape.totalTokens - record.prefillTokens;
    sums.kvBlockSeconds += heldUntil(sums, record.formedSeconds);
    sums.kvBlocksMax = Math.max(sums.kvBlocksMax, record.kvBlocksUsed);
    sums.lastFormedSeconds = record.formedSeconds;
    sums.lastEndSeconds = record.endSeconds;
    sums.lastKvBlocks = record.kvBlocksUsed;
  }

  /**
   * Use of every replica from 0 to `endSeconds`.
   *
   * @param endSeconds End of the run in seconds, > 0 and not before the last batch.
   * @throws {RangeError} When the run cannot have ended then.
   */
  summarize(endSeconds: number): ReplicaUtilization[] {
    const last = this.#sums.reduce((max, sums) => Math.max(max, sums.lastEndSeconds), 0);
    if (!(endSeconds > 0 && endSeconds >= last && endSeconds < Infinity)) {
      throw new RangeError(
        `Cannot summarise the utilisation: endSeconds must be finite, > 0 and >= ${last}, current value is ${endSeconds}`,
      );
    }
    return this.#sums.map((sums, replica) => {
      const { kvBlocks, flops } = this.#replicas[replica]!;
      const { batchCount } = sums;
      const kvBlockSeconds = sums.kvBlockSeconds + heldUntil(sums, endSeconds);
      const perBatch = (sum: number): number => batchCount === 0 ? 0 : sum / batchCount;
      return {
        busyFraction: sums.busySeconds.map((seconds) => seconds / endSeconds),
        mfu: flops === undefined
          ? null
          : sums.flops.map((sum) => sum / (flops.peakPerSecond * endSeconds)),
        kvMeanFraction: kvBlockSeconds / endSeconds / kvBlocks,
        kvMaxFraction: sums.kvBlocksMax / kvBlocks,
        batchCount,
        meanBatchRequests: perBatch(sums.requests),
        meanBatchTokens: perBatch(sums.prefillTokens + sums.decodeTokens),
        prefillTokens: sums.prefillTokens,
        decodeTokens: sums.decodeTokens,
      };
    });
  }
}

/** Block-seconds of the batch before, up to its end or `untilSeconds`, whichever is first. */
function heldUntil(sums: Sums, untilSeconds: number): number {
  const end = Math.min(sums.lastEndSeconds, untilSeconds);
  return sums.lastKvBlocks * (end - sums.lastFormedSeconds);
}
