/**
 * Parquet files: typed, compressed, the same bytes for the same content.
 *
 * @module
 */
import * as arrow from "apache-arrow";
import type * as parquet from "parquet-wasm";
import { BatchBuilder } from "./_batch_builder.ts";
import { requireSameColumns, ROW_GROUP_ROWS } from "./table_builder.ts";
import { parseColumn, type RowOf, schemaOf, type TableSchema } from "./table_schema.ts";

/**
 * Writes a Parquet file row by row with bounded memory: one row group (65,536 rows) is held, then
 * compressed (ZSTD) and written. The file appears under its name when it is closed, whole; until
 * then the bytes are in a temporary file beside it. The same rows give the same bytes.
 *
 * @typeParam S The schema of the rows.
 *
 * @example
 * ```ts
 * import { ParquetWriter, readParquet } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const folder = await Deno.makeTempDir();
 * {
 *   await using writer = await ParquetWriter.create(`${folder}/updates.parquet`, {
 *     update: "int32",
 *     entropy: "float64",
 *   });
 *   await writer.append([{ update: 0, entropy: 1.38 }, { update: 1, entropy: 1.12 }]);
 *   await writer.close();
 * }
 * assert.equal((await readParquet(`${folder}/updates.parquet`)).numRows, 2);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class ParquetWriter<S extends TableSchema> {
  readonly #path: string;
  readonly #temporary: string;
  readonly #schema: S;
  readonly #open: BatchBuilder;
  readonly #file: Deno.FsFile;
  readonly #batches: WritableStreamDefaultWriter<parquet.RecordBatch>;
  readonly #written: Promise<void>;
  #state: "open" | "closed" | "aborted" = "open";

  private constructor(
    path: string,
    temporary: string,
    schema: S,
    file: Deno.FsFile,
    batches: WritableStreamDefaultWriter<parquet.RecordBatch>,
    written: Promise<void>,
  ) {
    this.#path = path;
    this.#temporary = temporary;
    this.#schema = schema;
    this.#open = new BatchBuilder(schema);
    this.#file = file;
    this.#batches = batches;
    this.#written = written;
  }

  /**
   * Starts a file.
   *
   * @param path Destination; its folder must exist; an older file is replaced on closing.
   * @param schema Column names and types, in order; at least one column.
   */
  static async create<S extends TableSchema>(path: string, schema: S): Promise<ParquetWriter<S>> {
    const temporary = `${path}.${Deno.pid}.tmp`;
    const file = await Deno.open(temporary, { write: true, create: true, truncate: true });
    const pipe = new TransformStream<parquet.RecordBatch, parquet.RecordBatch>();
    const written = drain(pipe.readable, schema, file);
    // Awaited in close() and append(); a failure in between must not count as unhandled.
    written.catch(() => undefined);
    return new ParquetWriter(path, temporary, schema, file, pipe.writable.getWriter(), written);
  }

  /**
   * Adds rows; resolves when full row groups among them are on their way to the disk.
   *
   * @throws {TypeError} When a cell is missing or of the wrong kind, or the writer is closed.
   * @throws {RangeError} When a number does not fit its column.
   */
  async append(rows: Iterable<RowOf<S>>): Promise<void> {
    this.#requireOpen();
    for (const row of rows) {
      this.#open.append(row);
      if (this.#open.length === ROW_GROUP_ROWS) await this.#flush();
    }
  }

  /**
   * Adds the rows of a table.
   *
   * @throws {TypeError} When its columns are not those of the writer.
   */
  async appendTable(table: arrow.Table): Promise<void> {
    this.#requireOpen();
    requireSameColumns(this.#schema, schemaOf(table), "table");
    for (const batch of table.batches) {
      if (this.#open.length === 0 && batch.numRows === ROW_GROUP_ROWS && isFlat(batch)) {
        await this.#write(batch);
        continue;
      }
      for (let from = 0; from < batch.numRows;) {
        const to = Math.min(batch.numRows, from + ROW_GROUP_ROWS - this.#open.length);
        this.#open.appendBatch(batch, from, to);
        if (this.#open.length === ROW_GROUP_ROWS) await this.#flush();
        from = to;
      }
    }
  }

  /** Writes what is left and gives the file its name. */
  async close(): Promise<void> {
    if (this.#state !== "open") return;
    try {
      // An empty batch still carries the schema, without which there is no Parquet file.
      await this.#flush();
      await Promise.race([this.#batches.close(), this.#written]);
      await this.#written;
      await this.#file.sync();
      this.#file.close();
      await Deno.rename(this.#temporary, this.#path);
      this.#state = "closed";
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  /** Gives up: removes the temporary file and leaves an older file of that name alone. */
  async abort(): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "aborted";
    await this.#batches.abort().catch(() => undefined);
    await this.#written.catch(() => undefined);
    try {
      this.#file.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    await Deno.remove(this.#temporary).catch(() => undefined);
  }

  /** Aborts unless the file was closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort();
  }

  #requireOpen(): void {
    if (this.#state !== "open") {
      throw new TypeError(
        `Cannot append to ${this.#path}: the writer must be open, current state is ${this.#state}`,
      );
    }
  }

  async #flush(): Promise<void> {
    await this.#write(this.#open.attach(this.#open.flush(), this.#open.dictionaries()));
  }

  async #write(batch: arrow.RecordBatch): Promise<void> {
    const bytes = arrow.tableToIPC(new arrow.Table(this.#open.schema, [batch]), "stream");
    const parquet = await loadParquet();
    for (const part of parquet.Table.fromIPCStream(bytes).recordBatches()) {
      await Promise.race([this.#batches.write(part), this.#written]);
    }
  }
}

/**
 * Writes tables with the same columns to one Parquet file (ZSTD, row groups of 65,536 rows), which
 * appears whole or not at all. The bytes depend on the rows only, not on how they were batched.
 *
 * @param path Destination; its folder must exist.
 * @param tables One table or several, in order, e.g. one a trial, at least one.
 * @throws {TypeError} When columns differ or have a type that no {@linkcode TableSchema} has.
 * @throws {RangeError} When there is no table.
 *
 * @example
 * ```ts
 * import { readParquet, tableFromRows, writeParquet } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const folder = await Deno.makeTempDir();
 * const table = tableFromRows({ policy: "dictionary", e2e_seconds: "float64" }, [
 *   { policy: "random", e2e_seconds: 1.5 },
 * ]);
 * await writeParquet(`${folder}/requests.parquet`, table);
 * const read = await readParquet(`${folder}/requests.parquet`);
 * assert.deepEqual(read.get(0)?.toJSON(), { policy: "random", e2e_seconds: 1.5 });
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function writeParquet(
  path: string,
  tables: arrow.Table | Iterable<arrow.Table> | AsyncIterable<arrow.Table>,
): Promise<void> {
  let writer: ParquetWriter<TableSchema> | undefined;
  try {
    for await (const table of tables instanceof arrow.Table ? [tables] : tables) {
      writer ??= await ParquetWriter.create(path, schemaOf(table));
      await writer.appendTable(table);
    }
    if (writer === undefined) {
      throw new RangeError(
        `Cannot write ${path}: tables must hold at least one table, current length is 0`,
      );
    }
    await writer.close();
  } finally {
    await writer?.abort();
  }
}

/**
 * Reads a Parquet file into an Arrow table.
 *
 * @param path A file that this module or any other Parquet writer has written.
 */
export async function readParquet(path: string): Promise<arrow.Table> {
  const parquet = await loadParquet();
  const bytes = await Deno.readFile(path);
  const table = parquet.readParquet(bytes, { batchSize: ROW_GROUP_ROWS });
  return arrow.tableFromIPC(table.intoIPCStream());
}

/** Loads the codec when a file is first touched: compiling it takes longer than most modules. */
function loadParquet(): Promise<typeof parquet> {
  return import("parquet-wasm");
}

/** Whether a batch can be written as it is: a copy of it would not differ. */
function isFlat(batch: arrow.RecordBatch): boolean {
  return batch.data.children.every(({ type, nullCount, offset }) =>
    nullCount === 0 && offset === 0 && (arrow.DataType.isFloat(type) || arrow.DataType.isInt(type))
  );
}

/** Encodes batches as Parquet and writes the bytes as they come. */
async function drain(
  batches: ReadableStream<parquet.RecordBatch>,
  schema: TableSchema,
  file: Deno.FsFile,
): Promise<void> {
  const parquet = await loadParquet();
  let properties = new parquet.WriterPropertiesBuilder()
    .setCompression(parquet.Compression.ZSTD)
    .setMaxRowGroupSize(ROW_GROUP_ROWS)
    .setCreatedBy("signalbox");
  for (const [name, spec] of Object.entries(schema)) {
    if (parseColumn(spec).type !== "float64") continue;
    // Times hardly ever repeat, so a dictionary of them is wasted work; split into their bytes they
    // compress well (half the size and half the time on request tables, measured).
    properties = properties.setColumnDictionaryEnabled(name, false)
      .setColumnEncoding(name, parquet.Encoding.BYTE_STREAM_SPLIT);
  }
  const encoded: ReadableStream<Uint8Array> = await parquet.transformParquetStream(
    batches,
    properties.build(),
  );
  for await (const chunk of encoded) {
    let offset = 0;
    while (offset < chunk.length) offset += await file.write(chunk.subarray(offset));
  }
}
