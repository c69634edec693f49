/**
 * Batches of runs that are too long to keep them.
 *
 * @module
 */
import type { BatchRecord, SimulationObserver } from "../simulator/mod.ts";
import { BatchColumns, batchesSchema, batchesTable } from "./_batch_columns.ts";
import { ParquetWriter } from "./parquet.ts";

/**
 * Observer that writes the rows of {@linkcode BatchesTable} to a Parquet file with bounded memory.
 * A run does not wait for anything, and compression does: while it goes on, the rows lie bare in a
 * temporary file beside the destination, 52 bytes each; closing turns them into Parquet, one row
 * group of 65,536 rows at a time.
 *
 * @example
 * ```ts
 * import { BatchesFile, readParquet } from "@signalbox/signalbox/metrics";
 * import { buildCluster, clusterSchema, Simulator } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const workload = {
 *   name: "one request",
 *   count: 1,
 *   arrivalSeconds: Float64Array.of(0),
 *   promptTokens: Int32Array.of(700),
 *   outputTokens: Int32Array.of(2),
 * };
 * const folder = await Deno.makeTempDir();
 * {
 *   using batches = new BatchesFile(`${folder}/batches.parquet`);
 *   new Simulator(workload, buildCluster(clusterSchema.parse({})), { observers: [batches] })
 *     .run(() => 3);
 *   await batches.close();
 * }
 * assert.equal((await readParquet(`${folder}/batches.parquet`)).numRows, 3);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class BatchesFile implements SimulationObserver {
  readonly #path: string;
  readonly #spoolPath: string;
  readonly #spool: Deno.FsFile;
  readonly #columns = new BatchColumns();
  #fullGroups = 0;
  #isOpen = true;

  /**
   * Opens the temporary file.
   *
   * @param path Destination; its folder must exist; an older file is replaced on closing.
   */
  constructor(path: string) {
    this.#path = path;
    this.#spoolPath = `${path}.${Deno.pid}.rows.tmp`;
    this.#spool = Deno.openSync(this.#spoolPath, {
      read: true,
      write: true,
      create: true,
      truncate: true,
    });
  }

  /** Adds one row. */
  onBatchStageEnd(record: BatchRecord): void {
    this.#columns.add(record);
    if (!this.#columns.isFull) return;
    for (const bytes of this.#columns.bytes()) {
      for (let at = 0; at < bytes.length;) at += this.#spool.writeSync(bytes.subarray(at));
    }
    this.#columns.length = 0;
    this.#fullGroups++;
  }

  /** Writes the Parquet file, whole, and removes the temporary one. */
  async close(): Promise<void> {
    await using writer = await ParquetWriter.create(this.#path, batchesSchema);
    const rest = this.#columns.toRecordBatch();
    await this.#spool.seek(0, Deno.SeekMode.Start);
    for (let group = 0; group < this.#fullGroups; group++) {
      for (const bytes of this.#columns.bytes()) await fill(this.#spool, bytes);
      this.#columns.length = this.#columns.capacity;
      await writer.appendTable(batchesTable([this.#columns.toRecordBatch()]));
    }
    if (rest.numRows > 0) await writer.appendTable(batchesTable([rest]));
    await writer.close();
    this[Symbol.dispose]();
  }

  /** Removes the temporary file; an older file at the destination is left alone. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#spool.close();
    Deno.removeSync(this.#spoolPath);
  }
}

/** Reads exactly as many bytes as there is room for. */
async function fill(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const count = await file.read(bytes.subarray(at));
    if (count === null) throw new Error("Cannot read batches: the temporary file has shrunk");
    at += count;
  }
}
