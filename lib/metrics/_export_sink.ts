import { UsageError } from "../support/mod.ts";
import type { RowOf, TableSchema } from "./table_schema.ts";

/** A table whose rows belong to updates, from 1; they are appended in order. */
export type ExportTableSchema = TableSchema & { readonly update: "int32" };

/** Where the rows of one table go. */
export interface ExportSink<S extends ExportTableSchema> {
  /** Adds rows; they are on disk when this resolves. */
  append(rows: readonly RowOf<S>[]): Promise<void>;
  /** Checks what was written and finishes it. */
  close(): Promise<void>;
}

/** Refuses to go on with a table whose rows do not reach up to the update. */
export function requireUpdate(path: string, found: number, lastUpdate: number): void {
  if (found === lastUpdate) return;
  throw new UsageError(
    `Cannot resume: ${path} must hold rows up to update ${lastUpdate}, current last update is ${found}`,
  );
}
