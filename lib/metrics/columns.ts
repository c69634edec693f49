/**
 * Single columns of a table as plain arrays.
 *
 * @module
 */
import type { Table, Vector } from "apache-arrow";

/**
 * A numeric column as a `Float64Array`; nulls become `NaN`.
 *
 * @param table Any Arrow table.
 * @param name Column of type float64, int32 or int64.
 * @returns A new array, `[rows]`.
 * @throws {RangeError} When there is no such column.
 * @throws {TypeError} When the column holds something else than numbers.
 *
 * @example
 * ```ts
 * import { columnNumbers, tableFromRows } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const table = tableFromRows({ seed: "int64?" }, [{ seed: 7 }, { seed: null }]);
 * assert.deepEqual([...columnNumbers(table, "seed")], [7, NaN]);
 * ```
 */
export function columnNumbers(table: Table, name: string): Float64Array {
  const column = columnOf(table, name);
  const out = new Float64Array(table.numRows);
  let i = 0;
  for (const value of column) {
    if (value === null) out[i++] = Number.NaN;
    else if (typeof value === "number" || typeof value === "bigint") out[i++] = Number(value);
    else throw wrongKind(name, "numbers", value);
  }
  return out;
}

/**
 * A text column as strings; nulls stay.
 *
 * @param table Any Arrow table.
 * @param name Column of type utf8 or dictionary.
 * @returns A new array, `[rows]`.
 * @throws {RangeError} When there is no such column.
 * @throws {TypeError} When the column holds something else than text.
 *
 * @example
 * ```ts
 * import { columnStrings, tableFromRows } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const table = tableFromRows({ policy: "dictionary" }, [{ policy: "ppo" }]);
 * assert.deepEqual(columnStrings(table, "policy"), ["ppo"]);
 * ```
 */
export function columnStrings(table: Table, name: string): (string | null)[] {
  const out: (string | null)[] = [];
  for (const value of columnOf(table, name)) {
    if (value !== null && typeof value !== "string") throw wrongKind(name, "text", value);
    out.push(value);
  }
  return out;
}

/** The column, or an error that lists those there are. */
function columnOf(table: Table, name: string): Vector {
  const column = table.getChild(name);
  if (column === null) {
    const names = table.schema.fields.map((field) => field.name).join(", ");
    throw new RangeError(
      `Cannot read column: name must be one of ${names}, current value is ${name}`,
    );
  }
  return column;
}

function wrongKind(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(
    `Cannot read column: ${name} must hold ${expected}, current value is ${String(value)}`,
  );
}
