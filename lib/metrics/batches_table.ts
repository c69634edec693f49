/**
 * One row for every stage execution of every batch.
 *
 * @module
 */
import type * as arrow from "apache-arrow";
import type { BatchRecord, SimulationObserver } from "../simulator/mod.ts";
import { TableBuilder } from "./table_builder.ts";
import type { TableSchema } from "./table_schema.ts";

/** Columns of a table of batches; times in seconds of simulated time. */
export const batchesSchema = {
  batch: "int32",
  replica: "int32",
  stage: "int32",
  formed_seconds: "float64",
  start_seconds: "float64",
  end_seconds: "float64",
  requests: "int32",
  prefill_tokens: "int32",
  decode_tokens: "int32",
  kv_blocks_used: "int32",
} as const satisfies TableSchema;

/**
 * Observer that collects {@linkcode batchesSchema}, in order of the ends of stages.
 *
 * @example
 * ```ts
 * import { BatchesTable } from "@signalbox/signalbox/metrics";
 * import { buildCluster, clusterSchema, Simulator } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const batches = new BatchesTable();
 * const workload = {
 *   name: "one request",
 *   count: 1,
 *   arrivalSeconds: Float64Array.of(0),
 *   promptTokens: Int32Array.of(700),
 *   outputTokens: Int32Array.of(2),
 * };
 * new Simulator(workload, buildCluster(clusterSchema.parse({})), { observers: [batches] })
 *   .run(() => 3);
 * const rows = batches.finish().toArray();
 * assert.deepEqual(rows.map((row) => row.prefill_tokens), [512, 188, 0]);
 * ```
 */
export class BatchesTable implements SimulationObserver {
  readonly #builder = new TableBuilder(batchesSchema);

  /** Adds one row. */
  onBatchStageEnd(record: BatchRecord): void {
    let tokens = 0;
    for (let i = 0; i < record.requestCount; i++) tokens += record.tokens[i]!;
    this.#builder.append({
      batch: record.batchIndex,
      replica: record.replica,
      stage: record.stage,
      formed_seconds: record.formedSeconds,
      start_seconds: record.startSeconds,
      end_seconds: record.endSeconds,
      requests: record.requestCount,
      prefill_tokens: record.prefillTokens,
      decode_tokens: tokens - record.prefillTokens,
      kv_blocks_used: record.kvBlocksUsed,
    });
  }

  /** The table of all batches so far; the observer must not be used afterwards. */
  finish(): arrow.Table {
    return this.#builder.finish();
  }
}
