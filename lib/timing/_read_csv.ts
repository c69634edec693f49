/**
 * Numeric tables from CSV files.
 *
 * @module
 */
import { readCsvRecords, TraceError } from "../support/mod.ts";

/** A row of a table: text by column. */
export interface CsvRow {
  /** Whether the table has a column. */
  has(column: string): boolean;
  /** Text of a column that the table has. */
  text(column: string): string;
  /** Number in a column; fails where it is not finite. */
  number(column: string): number;
}

/**
 * Streams the rows of a CSV file with a header.
 *
 * @param path The file.
 * @param columns Columns that it must have; others are ignored.
 * @throws {TraceError} When the file cannot be read, lacks a column or rows, or has a malformed row.
 */
export async function* readCsv(path: string, columns: readonly string[]): AsyncGenerator<CsvRow> {
  let positions: Map<string, number> | undefined;
  let rows = 0;
  for await (const { line, fields } of readCsvRecords(path)) {
    if (positions === undefined) {
      positions = new Map(fields.map((column, i) => [column, i]));
      const missing = columns.find((column) => !fields.includes(column));
      if (missing !== undefined) {
        throw new TraceError(path, line, `the header lacks the column ${missing}`);
      }
      continue;
    }
    if (fields.length !== positions.size) {
      throw new TraceError(
        path,
        line,
        `there must be ${positions.size} fields, current number is ${fields.length}`,
      );
    }
    rows++;
    yield createRow(path, line, positions, fields);
  }
  if (rows === 0) throw new TraceError(path, 0, "there must be at least one row");
}

function createRow(
  path: string,
  line: number,
  positions: ReadonlyMap<string, number>,
  record: readonly string[],
): CsvRow {
  const text = (column: string): string => record[positions.get(column)!]!;
  return {
    has: (column) => positions.has(column),
    text,
    number(column: string): number {
      const value = text(column);
      const number = value.trim() === "" ? Number.NaN : Number(value);
      if (Number.isFinite(number)) return number;
      throw new TraceError(
        path,
        line,
        `${column} must be a finite number, current value is "${value}"`,
      );
    },
  };
}
