import * as arrow from "apache-arrow";
import { arrowSchemaOf, type ColumnType, parseColumn, type TableSchema } from "./table_schema.ts";

/** One column of an open batch. Dictionary columns build their int32 codes. */
interface OpenColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly isNullable: boolean;
  // deno-lint-ignore no-explicit-any -- Arrow's builder type is invariant in its value type
  readonly builder: arrow.Builder<any, null>;
  /** Strings of a dictionary column in order of first appearance, with their codes. */
  readonly codes: Map<string, number>;
}

/** Collects rows of a fixed schema into Arrow record batches. */
export class BatchBuilder {
  readonly #schema: arrow.Schema;
  readonly #columns: readonly OpenColumn[];
  #length = 0;

  constructor(schema: TableSchema) {
    this.#schema = arrowSchemaOf(schema);
    this.#columns = Object.entries(schema).map(([name, spec], position) => {
      const { type, isNullable } = parseColumn(spec);
      const stored = type === "dictionary"
        ? new arrow.Int32()
        : this.#schema.fields[position]!.type;
      const builder = arrow.makeBuilder({ type: stored, nullValues: [null] });
      return { name, type, isNullable, builder, codes: new Map() };
    });
  }

  /** The Arrow schema of the batches. */
  get schema(): arrow.Schema {
    return this.#schema;
  }

  /** Rows in the open batch. */
  get length(): number {
    return this.#length;
  }

  /** Adds one row; the batch is unchanged when a cell is refused. */
  append(row: Readonly<Record<string, unknown>>): void {
    for (const column of this.#columns) checkCell(column, row[column.name]);
    for (const column of this.#columns) column.builder.append(storedCell(column, row[column.name]));
    this.#length++;
  }

  /** Adds rows `[from, to)` of a batch with the same columns; nothing is checked. */
  appendBatch(batch: arrow.RecordBatch, from: number, to: number): void {
    this.#columns.forEach((column, position) => {
      copyCells(column, batch.getChildAt(position)!, from, to);
    });
    this.#length += to - from;
  }

  /**
   * Closes the open batch. Its dictionary columns are bare codes: {@linkcode BatchBuilder.attach}
   * turns them into a record batch, at once or when the dictionaries are complete.
   */
  flush(): arrow.Data[] {
    this.#length = 0;
    return this.#columns.map(({ builder }) => builder.flush());
  }

  /** The dictionaries so far, one vector a dictionary column, by position. */
  dictionaries(): (arrow.Vector<arrow.Utf8> | undefined)[] {
    return this.#columns.map(({ type, codes }) =>
      type === "dictionary" ? arrow.vectorFromArray([...codes.keys()], new arrow.Utf8()) : undefined
    );
  }

  /** Joins flushed columns and dictionaries to a record batch. */
  attach(
    flushed: readonly arrow.Data[],
    dictionaries: readonly (arrow.Vector<arrow.Utf8> | undefined)[],
  ): arrow.RecordBatch {
    const length = flushed[0]?.length ?? 0;
    const children = flushed.map((data, position) => {
      const dictionary = dictionaries[position];
      if (dictionary === undefined) return data;
      const type = this.#schema.fields[position]!.type as arrow.Dictionary<arrow.Utf8, arrow.Int32>;
      return arrow.makeData({
        type,
        length,
        nullCount: data.nullCount,
        nullBitmap: data.nullBitmap,
        data: data.values,
        dictionary,
      });
    });
    const type = new arrow.Struct(this.#schema.fields);
    return new arrow.RecordBatch(this.#schema, arrow.makeData({ type, length, children }));
  }
}

/** Refuses a cell that the column cannot hold. */
function checkCell({ name, type, isNullable }: OpenColumn, value: unknown): void {
  if (value === null && isNullable) return;
  const allowed = allowedValue(type, value);
  if (allowed === undefined) return;
  const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
  const text = `Cannot append row: ${name} must be ${allowed}${
    isNullable ? " or null" : ""
  }, current value is ${shown}`;
  throw typeof value === "number" ? new RangeError(text) : new TypeError(text);
}

/** What the type allows, or `undefined` when the value is fine. */
function allowedValue(type: ColumnType, value: unknown): string | undefined {
  switch (type) {
    case "float64":
      return typeof value === "number" ? undefined : "a number";
    case "int32":
      return (value as number | 0) === value && Number.isInteger(value) &&
          Math.abs(value as number) <= 0x7fffffff
        ? undefined
        : "a 32-bit integer";
    case "int64":
      return Number.isSafeInteger(value) ? undefined : "a safe integer";
    case "utf8":
    case "dictionary":
      return typeof value === "string" ? undefined : "a string";
    case "bool":
      return typeof value === "boolean" ? undefined : "true or false";
    case "float64[]":
      return isNumberList(value) ? undefined : "a list of numbers";
  }
}

function isNumberList(value: unknown): boolean {
  if (value instanceof Float64Array || value instanceof Float32Array) return true;
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}

/** The cell in the form that the column's Arrow builder takes. */
function storedCell({ type, codes }: OpenColumn, value: unknown): unknown {
  if (value === null) return null;
  if (type === "int64") return BigInt(value as number);
  // Copied: Arrow's list builder keeps the reference until the batch is closed.
  if (type === "float64[]") return Float64Array.from(value as ArrayLike<number>);
  if (type !== "dictionary") return value;
  let code = codes.get(value as string);
  if (code === undefined) codes.set(value as string, code = codes.size);
  return code;
}

/** Appends cells of an Arrow column that has the type of `column`. */
function copyCells(column: OpenColumn, cells: arrow.Vector, from: number, to: number): void {
  const { type, builder } = column;
  const data = cells.data[0]!;
  if (type === "float64" || type === "int32" || type === "int64") {
    const values = data.values;
    for (let i = from; i < to; i++) builder.append(data.getValid(i) ? values[i] : null);
  } else if (type === "dictionary") {
    const texts = data.dictionary!;
    const codes: number[] = [];
    for (let i = from; i < to; i++) {
      if (!data.getValid(i)) builder.append(null);
      else {
        const code = data.values[i];
        builder.append(codes[code] ??= storedCell(column, texts.get(code)) as number);
      }
    }
  } else {
    for (let i = from; i < to; i++) {
      const cell = cells.get(i);
      builder.append(type === "float64[]" && cell !== null ? cell.toArray().slice() : cell);
    }
  }
}
