import { parse } from "csv-parse";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { type ExportSink, type ExportTableSchema, requireUpdate } from "./_export_sink.ts";
import type { CellOf, ColumnSpec, RowOf } from "./table_schema.ts";

/**
 * A CSV file whose columns are those of its schema, in their order, in every row. It grows under a
 * temporary name and gets its own when it is closed.
 */
export class CsvSink<S extends ExportTableSchema> implements ExportSink<S> {
  readonly #path: string;
  readonly #schema: S;
  readonly #file: Deno.FsFile;
  #rowCount: number;

  private constructor(path: string, schema: S, file: Deno.FsFile, rowCount: number) {
    this.#path = path;
    this.#schema = schema;
    this.#file = file;
    this.#rowCount = rowCount;
  }

  /**
   * Opens a table: a new one, or the one that is there, cut off after `lastUpdate`.
   *
   * @param base Path without `.csv`; its folder must exist.
   */
  static async open<S extends ExportTableSchema>(
    base: string,
    schema: S,
    lastUpdate: number,
  ): Promise<CsvSink<S>> {
    const path = `${base}.csv`;
    const open = openName(path);
    const wasClosed = lastUpdate > 0 && await renameIfThere(path, open);
    const file = await Deno.open(open, {
      read: true,
      write: true,
      create: true,
      truncate: lastUpdate === 0,
    });
    const sink = new CsvSink(path, schema, file, 0);
    try {
      await (lastUpdate === 0
        ? sink.#write(`${Object.keys(schema).map(csvCell).join(",")}\n`)
        : sink.#rewind(lastUpdate));
    } catch (error) {
      file.close();
      if (wasClosed) await Deno.rename(open, path);
      throw error;
    }
    return sink;
  }

  /** Adds rows; they are in the file when this resolves. */
  async append(rows: readonly RowOf<S>[]): Promise<void> {
    const names = Object.keys(this.#schema);
    let text = "";
    for (const row of rows) text += `${names.map((name) => csvCell(row[name]!)).join(",")}\n`;
    await this.#write(text);
    this.#rowCount += rows.length;
  }

  /**
   * Reads the file once more and gives it its name.
   *
   * @throws {TypeError} When it does not hold what was written to it.
   */
  async close(): Promise<void> {
    await this.#file.sync();
    this.#file.close();
    const open = openName(this.#path);
    let rowCount = 0;
    for await (const { record } of records(open)) {
      const isHeader = rowCount++ === 0;
      const names = Object.keys(this.#schema);
      if (isHeader ? record.join() !== names.join() : record.length !== names.length) {
        throw new TypeError(
          `Cannot close ${this.#path}: line ${rowCount} must have the columns ${names}, current value is ${record}`,
        );
      }
    }
    if (rowCount !== this.#rowCount + 1) {
      throw new TypeError(
        `Cannot close ${this.#path}: it must have ${this.#rowCount} rows, current value is ${
          rowCount - 1
        }`,
      );
    }
    await Deno.rename(open, this.#path);
  }

  /** Keeps the header and the rows of the first updates; what follows may be half a row. */
  async #rewind(lastUpdate: number): Promise<void> {
    const names = Object.keys(this.#schema);
    const column = names.indexOf("update");
    let keptBytes = 0;
    let keptRows = -1;
    let keptUpdate = 0;
    for await (const { record, info } of records(openName(this.#path))) {
      if (record.length !== names.length || Number(record[column]) > lastUpdate) break;
      keptBytes = info.bytes;
      if (keptRows++ >= 0) keptUpdate = Number(record[column]);
    }
    requireUpdate(this.#path, keptUpdate, lastUpdate);
    await this.#file.truncate(keptBytes);
    await this.#file.seek(0, Deno.SeekMode.End);
    this.#rowCount = keptRows;
  }

  async #write(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    for (let offset = 0; offset < bytes.length;) {
      offset += await this.#file.write(bytes.subarray(offset));
    }
  }
}

interface CsvRecord {
  readonly record: readonly string[];
  /** `bytes`: where the record ends in the file. */
  readonly info: { readonly bytes: number };
}

/** The records of a file, the header too, one by one; whoever stops early closes the file. */
function records(path: string): AsyncIterable<CsvRecord> {
  const parser = parse({ info: true, relax_column_count: true, relax_quotes: true });
  pipeline(createReadStream(path), parser, () => {});
  return parser;
}

/**
 * One cell as CSV text (RFC 4180): null is empty, numbers are written so that they read back as the
 * same float64 (`NaN` stays `NaN`), lists as `"[1,2.5]"`.
 */
function csvCell(value: CellOf<ColumnSpec>): string {
  if (value === null) return "";
  if (Object.is(value, -0)) return "-0";
  const text = typeof value === "object" ? `[${Array.from(value).join(",")}]` : String(value);
  // An empty text is quoted, to tell it from null.
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Name of a table that is being written. */
function openName(path: string): string {
  return `${path}.partial`;
}

/** Whether there was such a file. */
async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await Deno.rename(from, to);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
