/**
 * Rows in, Arrow table out.
 *
 * @module
 */
import * as arrow from "apache-arrow";
import { BatchBuilder } from "./_batch_builder.ts";
import { type ColumnSpec, type RowOf, schemaOf, type TableSchema } from "./table_schema.ts";

/** Rows a record batch and a Parquet row group hold. */
export const ROW_GROUP_ROWS = 65_536;

/**
 * Builds an Arrow table of a fixed schema in memory.
 *
 * @typeParam S The schema; rows are checked against it when compiled and again when appended.
 *
 * @example
 * ```ts
 * import { TableBuilder } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const builder = new TableBuilder({ policy: "dictionary", ttft_seconds: "float64?" });
 * builder.append({ policy: "random", ttft_seconds: 0.25 });
 * builder.append({ policy: "random", ttft_seconds: null });
 * const table = builder.finish();
 * assert.equal(table.numRows, 2);
 * assert.deepEqual(table.get(1)?.toJSON(), { policy: "random", ttft_seconds: null });
 * ```
 */
export class TableBuilder<S extends TableSchema> {
  readonly #schema: S;
  readonly #open: BatchBuilder;
  readonly #flushed: arrow.Data[][] = [];

  /**
   * Starts an empty table.
   *
   * @param schema Column names and types, in order.
   */
  constructor(schema: S) {
    this.#schema = schema;
    this.#open = new BatchBuilder(schema);
  }

  /**
   * Adds one row.
   *
   * @throws {TypeError} When a cell is missing or of the wrong kind.
   * @throws {RangeError} When a number does not fit its column.
   */
  append(row: RowOf<S>): void {
    this.#open.append(row);
    if (this.#open.length === ROW_GROUP_ROWS) this.#flushed.push(this.#open.flush());
  }

  /**
   * Adds the rows of a table.
   *
   * @throws {TypeError} When its columns are not those of the builder.
   */
  appendTable(table: arrow.Table): void {
    requireSameColumns(this.#schema, schemaOf(table), "table");
    for (const batch of table.batches) {
      for (let from = 0; from < batch.numRows;) {
        const to = Math.min(batch.numRows, from + ROW_GROUP_ROWS - this.#open.length);
        this.#open.appendBatch(batch, from, to);
        if (this.#open.length === ROW_GROUP_ROWS) this.#flushed.push(this.#open.flush());
        from = to;
      }
    }
  }

  /** The table of all rows so far; the builder must not be used afterwards. */
  finish(): arrow.Table {
    if (this.#open.length > 0) this.#flushed.push(this.#open.flush());
    const dictionaries = this.#open.dictionaries();
    const batches = this.#flushed.map((data) => this.#open.attach(data, dictionaries));
    return new arrow.Table(this.#open.schema, batches);
  }
}

/**
 * The table of some rows.
 *
 * @param schema Column names and types, in order.
 * @param rows Rows, in order.
 * @throws {TypeError} When a cell is missing or of the wrong kind.
 * @throws {RangeError} When a number does not fit its column.
 *
 * @example
 * ```ts
 * import { columnNumbers, tableFromRows } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const table = tableFromRows({ update: "int32", entropy: "float64" }, [
 *   { update: 0, entropy: 1.386 },
 *   { update: 1, entropy: 1.121 },
 * ]);
 * assert.deepEqual([...columnNumbers(table, "entropy")], [1.386, 1.121]);
 * ```
 */
export function tableFromRows<S extends TableSchema>(
  schema: S,
  rows: Iterable<RowOf<S>>,
): arrow.Table {
  const builder = new TableBuilder(schema);
  for (const row of rows) builder.append(row);
  return builder.finish();
}

/**
 * One table of the rows of several, in order. The result is independent of how the parts were cut
 * into batches.
 *
 * @param tables At least one table; all have the same columns, types and order.
 * @returns A new table that shares nothing with its parts.
 * @throws {RangeError} When there is no table.
 * @throws {TypeError} When columns differ.
 *
 * @example
 * ```ts
 * import { concatTables, tableFromRows } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const schema = { seed: "int64" } as const;
 * const parts = [1, 2].map((seed) => tableFromRows(schema, [{ seed }]));
 * assert.equal(concatTables(parts).numRows, 2);
 * ```
 */
export function concatTables(tables: readonly arrow.Table[]): arrow.Table {
  if (tables.length === 0) {
    throw new RangeError(
      "Cannot concatenate tables: tables must hold at least one table, current length is 0",
    );
  }
  const schema = schemaOf(tables[0]!);
  const builder = new TableBuilder(schema);
  tables.forEach((table, index) => {
    requireSameColumns(schema, schemaOf(table), `tables[${index}]`);
    builder.appendTable(table);
  });
  return builder.finish();
}

/**
 * The rows of a table as plain objects: int64 cells as numbers, lists as `Float64Array`.
 *
 * @throws {TypeError} When a column has a type that no {@linkcode TableSchema} has.
 * @throws {RangeError} When an int64 cell is not a safe integer.
 *
 * @example
 * ```ts
 * import { rowsOf, tableFromRows } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const table = tableFromRows({ seed: "int64?" }, [{ seed: 7 }, { seed: null }]);
 * assert.deepEqual([...rowsOf(table)], [{ seed: 7 }, { seed: null }]);
 * ```
 */
export function* rowsOf<S extends TableSchema = TableSchema>(
  table: arrow.Table,
): Generator<RowOf<S>> {
  const schema = schemaOf(table);
  const names = Object.keys(schema);
  for (const batch of table.batches) {
    const columns = names.map((_, position) => batch.getChildAt(position)!);
    for (let i = 0; i < batch.numRows; i++) {
      const row: Record<string, unknown> = {};
      for (let c = 0; c < names.length; c++) {
        row[names[c]!] = plainCell(names[c]!, columns[c]!.get(i));
      }
      yield row as RowOf<S>;
    }
  }
}

/** An Arrow cell as a plain value. */
function plainCell(name: string, value: unknown): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) {
      throw new RangeError(
        `Cannot read table: ${name} must be a safe integer, current value is ${value}`,
      );
    }
    return number;
  }
  return value instanceof arrow.Vector ? Float64Array.from(value.toArray()) : value;
}

/** Refuses a table whose columns are not those expected. */
export function requireSameColumns(expected: TableSchema, actual: TableSchema, what: string): void {
  const show = (schema: Readonly<Record<string, ColumnSpec>>): string =>
    Object.entries(schema).map(([name, spec]) => `${name}: ${spec}`).join(", ");
  if (show(expected) !== show(actual)) {
    throw new TypeError(
      `Cannot join tables: ${what} must have the columns (${
        show(expected)
      }), current columns are (${show(actual)})`,
    );
  }
}
