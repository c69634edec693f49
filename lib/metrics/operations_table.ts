/**
 * One row for every operation of every pipeline stage.
 *
 * @module
 */
import type { RowOf, TableSchema } from "./table_schema.ts";

/**
 * Columns of `operations.parquet`. `operation` is a name of `operations`, or several with plus signs
 * between them where the replica's timer knows only their sum; `kind` is what they have in common.
 * `batches` counts the stage executions in which they took time, `seconds` sums that time over them
 * and over the layers of the stage.
 */
export const operationsSchema = {
  replica: "int32",
  gpu: "dictionary",
  stage: "int32",
  operation: "dictionary",
  kind: "dictionary",
  batches: "int64",
  seconds: "float64",
} as const satisfies TableSchema;

/** A row of `operations.parquet`. */
export type OperationRow = RowOf<typeof operationsSchema>;
