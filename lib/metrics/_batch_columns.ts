import * as arrow from "apache-arrow";
import type { BatchRecord } from "../simulator/mod.ts";
import { ROW_GROUP_ROWS } from "./table_builder.ts";
import { arrowSchemaOf, type TableSchema } from "./table_schema.ts";

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

const schema = arrowSchemaOf(batchesSchema);
const types: readonly string[] = Object.values(batchesSchema);

/** One row group of batches in plain columns: no object a row, no check a cell. */
export class BatchColumns {
  /** Rows so far. */
  length = 0;
  readonly #columns = types.map((type) =>
    type === "float64" ? new Float64Array(ROW_GROUP_ROWS) : new Int32Array(ROW_GROUP_ROWS)
  );

  /** Rows there is room for. */
  readonly capacity = ROW_GROUP_ROWS;

  /** Whether there is no more room. */
  get isFull(): boolean {
    return this.length === this.capacity;
  }

  /** Adds one row; there must be room. */
  add(record: BatchRecord): void {
    const row = this.length++;
    const columns = this.#columns;
    columns[0]![row] = record.batchIndex;
    columns[1]![row] = record.replica;
    columns[2]![row] = record.stage;
    columns[3]![row] = record.formedSeconds;
    columns[4]![row] = record.startSeconds;
    columns[5]![row] = record.endSeconds;
    columns[6]![row] = record.requestCount;
    columns[7]![row] = record.prefillTokens;
    columns[8]![row] = record.shape.totalTokens - record.prefillTokens;
    columns[9]![row] = record.kvBlocksUsed;
  }

  /** Every column with its room, to be written away and filled again; not a copy. */
  bytes(): Uint8Array[] {
    return this.#columns.map((column) => new Uint8Array(column.buffer));
  }

  /** The rows as a record batch that shares nothing with this. */
  toRecordBatch(): arrow.RecordBatch {
    const { length } = this;
    const children = this.#columns.map((column) =>
      column instanceof Float64Array
        ? arrow.makeData({ type: new arrow.Float64(), length, data: column.slice(0, length) })
        : arrow.makeData({ type: new arrow.Int32(), length, data: column.slice(0, length) })
    );
    const type = new arrow.Struct(schema.fields);
    return new arrow.RecordBatch(schema, arrow.makeData({ type, length, children }));
  }
}

/** The table of some record batches. */
export function batchesTable(batches: readonly arrow.RecordBatch[]): arrow.Table {
  return new arrow.Table(schema, [...batches]);
}
