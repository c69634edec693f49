/**
 * The one record that observers are shown, again and again.
 *
 * @module
 */
import { Batch } from "./batch.ts";
import type { BatchRecord } from "./simulation.ts";

/** {@linkcode BatchRecord} as the simulator fills it in. */
export type MutableBatchRecord = { -readonly [Key in keyof BatchRecord]: BatchRecord[Key] };

/** A record of nothing. */
export function createBatchRecord(): MutableBatchRecord {
  return {
    batchIndex: -1,
    replica: -1,
    stage: 0,
    formedSeconds: 0,
    startSeconds: 0,
    endSeconds: 0,
    requestCount: 0,
    requests: [],
    tokens: [],
    prefillTokens: 0,
    kvBlocksUsed: 0,
    shape: new Batch(0, 0),
  };
}
