/**
 * One row for every stage execution of every batch.
 *
 * @module
 */
import type * as arrow from "apache-arrow";
import type { BatchRecord, SimulationObserver } from "../simulator/mod.ts";
import { BatchColumns, batchesTable } from "./_batch_columns.ts";

export { batchesSchema } from "./_batch_columns.ts";

/**
 * Observer that collects {@linkcode batchesSchema} in memory, in order of the ends of stages;
 * {@linkcode BatchesFile} does so on disk.
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
  readonly #columns = new BatchColumns();
  readonly #full: arrow.RecordBatch[] = [];

  /** Adds one row. */
  onBatchStageEnd(record: BatchRecord): void {
    this.#columns.add(record);
    if (!this.#columns.isFull) return;
    this.#full.push(this.#columns.toRecordBatch());
    this.#columns.length = 0;
  }

  /** The table of all batches so far. */
  finish(): arrow.Table {
    const { length } = this.#columns;
    return batchesTable(length === 0 ? this.#full : [...this.#full, this.#columns.toRecordBatch()]);
  }
}
