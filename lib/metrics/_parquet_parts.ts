import { type ExportSink, type ExportTableSchema, requireUpdate } from "./_export_sink.ts";
import { ParquetWriter, readParquet } from "./parquet.ts";
import { requireSameColumns, rowsOf } from "./table_builder.ts";
import { type RowOf, schemaOf } from "./table_schema.ts";

/** Rows of a part, which is one row group: what is held in memory. */
const PART_ROWS = 8192;

/**
 * A table as a folder of Parquet files of {@linkcode PART_ROWS} rows each, the last one shorter. It
 * is written anew with every batch of rows until it is full, so that what has been appended is on
 * disk at once, in whole files.
 */
export class ParquetParts<S extends ExportTableSchema> implements ExportSink<S> {
  readonly #folder: string;
  readonly #schema: S;
  #part = 0;
  #open: RowOf<S>[] = [];

  private constructor(folder: string, schema: S) {
    this.#folder = folder;
    this.#schema = schema;
  }

  /** Opens a table: a new one, or the one that is there, cut off after `lastUpdate`. */
  static async open<S extends ExportTableSchema>(
    folder: string,
    schema: S,
    lastUpdate: number,
  ): Promise<ParquetParts<S>> {
    await Deno.mkdir(folder, { recursive: true });
    const parts = new ParquetParts(folder, schema);
    for (const name of (await partNames(folder)).reverse()) {
      // Of tables that begin anew, the older ones may be anything.
      if (lastUpdate > 0) {
        const table = await readParquet(`${folder}/${name}`);
        requireSameColumns(schema, schemaOf(table), name);
        parts.#open = [...rowsOf<S>(table)].filter(({ update }) => update as number <= lastUpdate);
        parts.#part = Number(/\d+/.exec(name)![0]);
        if (parts.#open.length > 0) break;
      }
      await Deno.remove(`${folder}/${name}`);
    }
    requireUpdate(folder, parts.#open.at(-1)?.update as number ?? 0, lastUpdate);
    await parts.#write();
    return parts;
  }

  /** Adds rows; they are on disk when this resolves. */
  async append(rows: readonly RowOf<S>[]): Promise<void> {
    for (const row of rows) {
      if (this.#open.length === PART_ROWS) {
        await this.#write();
        this.#part++;
        this.#open = [];
      }
      this.#open.push(row);
    }
    await this.#write();
  }

  /**
   * Reads every part once more.
   *
   * @throws {TypeError} When a part does not hold what was written to it.
   */
  async close(): Promise<void> {
    const names = await partNames(this.#folder);
    for (let part = 0; part < Math.max(names.length, this.#part + 1); part++) {
      const [name, expected] = [partName(part), this.#rowsOf(part)];
      const table = names[part] === name && await readParquet(`${this.#folder}/${name}`);
      if (table) requireSameColumns(this.#schema, schemaOf(table), name);
      if (!table || table.numRows !== expected) {
        throw new TypeError(
          `Cannot close ${this.#folder}: ${name} must have ${expected} rows, current value is ${
            table ? table.numRows : "no such file"
          }`,
        );
      }
    }
  }

  /** Rows that a part should have. */
  #rowsOf(part: number): number {
    if (part < this.#part) return PART_ROWS;
    return part === this.#part ? this.#open.length : 0;
  }

  /** Writes the open part, unless it would be empty beside others. */
  async #write(): Promise<void> {
    if (this.#open.length === 0 && this.#part > 0) return;
    const path = `${this.#folder}/${partName(this.#part)}`;
    await using writer = await ParquetWriter.create(path, this.#schema);
    await writer.append(this.#open);
    await writer.close();
  }
}

function partName(part: number): string {
  return `part-${String(part).padStart(5, "0")}.parquet`;
}

/** The parts of a folder, in order. */
async function partNames(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).filter((name) => /^part-\d+\.parquet$/.test(name)).sort();
}
