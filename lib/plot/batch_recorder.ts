/**
 * Batches of a run, kept for drawing.
 *
 * @module
 */
import type { BatchRecord, SimulationObserver } from "../simulator/mod.ts";

/** One stage execution of one batch. */
export interface BatchBar {
  /** Replica that ran it. */
  readonly replica: number;
  /** Pipeline stage. */
  readonly stage: number;
  /** Start in seconds. */
  readonly startSeconds: number;
  /** End in seconds. */
  readonly endSeconds: number;
  /** Requests in the batch. */
  readonly requestCount: number;
  /** Prompt tokens computed. */
  readonly prefillTokens: number;
  /** Output tokens computed. */
  readonly decodeTokens: number;
}

/** Which batches {@linkcode BatchRecorder} keeps. */
export interface BatchRecorderOptions {
  /** Keep batches that end after this time, in seconds; 0 by default. */
  readonly fromSeconds?: number;
  /** Keep batches that start before this time, in seconds; no limit by default. */
  readonly untilSeconds?: number;
  /** Keep at most this many, an integer >= 1; 5000 by default. */
  readonly maxBatches?: number;
}

/**
 * Observer of a simulation that keeps the batches of a window of time, in order of their ends.
 *
 * @example
 * ```ts
 * import { BatchRecorder } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const recorder = new BatchRecorder({ untilSeconds: 10 });
 * recorder.onBatchStageEnd({
 *   batchIndex: 0,
 *   replica: 1,
 *   stage: 0,
 *   formedSeconds: 0.5,
 *   startSeconds: 0.5,
 *   endSeconds: 0.75,
 *   requestCount: 2,
 *   requests: [4, 5],
 *   tokens: [100, 1],
 *   prefillTokens: 100,
 *   kvBlocksUsed: 8,
 *   shape: {
 *     requestCount: 2,
 *     totalTokens: 101,
 *     decodeCount: 1,
 *     decodeContextTokens: 20,
 *     maxDecodeContextTokens: 20,
 *     prefillCount: 1,
 *     prefillContextTokens: [0],
 *     prefillChunkTokens: [100],
 *   },
 * });
 * assert.equal(recorder.batches[0]?.decodeTokens, 1);
 * ```
 */
export class BatchRecorder implements SimulationObserver {
  readonly #from: number;
  readonly #until: number;
  readonly #max: number;
  readonly #batches: BatchBar[] = [];

  /**
   * Starts without batches.
   *
   * @param options Window and limit.
   * @throws {RangeError} When `maxBatches` is not an integer >= 1.
   */
  constructor(options: BatchRecorderOptions = {}) {
    const { fromSeconds = 0, untilSeconds = Infinity, maxBatches = 5000 } = options;
    if (!Number.isInteger(maxBatches) || maxBatches < 1) {
      throw new RangeError(
        `Cannot record batches: maxBatches must be an integer >= 1, current value is ${maxBatches}`,
      );
    }
    this.#from = fromSeconds;
    this.#until = untilSeconds;
    this.#max = maxBatches;
  }

  /** The batches so far. */
  get batches(): readonly BatchBar[] {
    return this.#batches;
  }

  /** Called by the simulator. */
  onBatchStageEnd(record: BatchRecord): void {
    if (this.#batches.length >= this.#max) return;
    if (record.endSeconds <= this.#from || record.startSeconds >= this.#until) return;
    let tokens = 0;
    for (let i = 0; i < record.requestCount; i++) tokens += record.tokens[i]!;
    this.#batches.push({
      replica: record.replica,
      stage: record.stage,
      startSeconds: record.startSeconds,
      endSeconds: record.endSeconds,
      requestCount: record.requestCount,
      prefillTokens: record.prefillTokens,
      decodeTokens: tokens - record.prefillTokens,
    });
  }
}
