/**
 * The tables of a training run, written while it goes on.
 *
 * @module
 */
import { CsvSink } from "./_csv_sink.ts";
import type { ExportSink, ExportTableSchema } from "./_export_sink.ts";
import { ParquetParts } from "./_parquet_parts.ts";
import type { RowOf } from "./table_schema.ts";

export type { ExportTableSchema };

/** What a {@linkcode MetricsExporter} can write. */
export const EXPORT_FORMATS = ["csv", "parquet"] as const;

/** A file format. */
export type ExportFormat = typeof EXPORT_FORMATS[number];

/** Where and how to write. */
export interface ExportOptions {
  /** Folder of the tables; created if need be. */
  readonly folder: string;
  /** Formats, at least one. */
  readonly formats: readonly ExportFormat[];
  /**
   * Goes on with the tables in the folder after this update; later rows, perhaps half written when
   * the run was stopped, are cut off. 0 (default) begins anew.
   */
  readonly lastUpdate?: number;
}

/**
 * Writes tables with fixed columns while a run goes on, with bounded memory: `<table>.csv`, one file
 * that grows (as `<table>.csv.partial` until it is closed) and whose every row has the columns of
 * its header, and `<table>/part-00000.parquet`, ..., files of 8,192 rows each. The tables of a run
 * that was resumed are byte for byte those of a run that was not.
 *
 * A number that is not one is written as `NaN`, a value that does not exist as null (CSV: empty).
 * Source: spec/scheduler.md section 14.2, whose CSV files change their columns on the way.
 *
 * @typeParam T The schemas by table.
 *
 * @example
 * ```ts
 * import { MetricsExporter } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const folder = await Deno.makeTempDir();
 * const tables = { updates: { update: "int32", value_loss: "float64" } } as const;
 * const exporter = await MetricsExporter.open(tables, { folder, formats: ["csv", "parquet"] });
 * await exporter.append("updates", [{ update: 1, value_loss: NaN }]);
 * await exporter.close();
 * assert.equal(await Deno.readTextFile(`${folder}/updates.csv`), "update,value_loss\n1,NaN\n");
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class MetricsExporter<T extends Readonly<Record<string, ExportTableSchema>>> {
  readonly #sinks: ReadonlyMap<string, readonly ExportSink<ExportTableSchema>[]>;
  #isOpen = true;

  private constructor(sinks: ReadonlyMap<string, readonly ExportSink<ExportTableSchema>[]>) {
    this.#sinks = sinks;
  }

  /**
   * Opens the tables.
   *
   * @param tables Schemas by name.
   * @throws {TypeError} When a table to go on with has other columns.
   * @throws {UsageError} When its rows do not reach up to `lastUpdate`.
   */
  static async open<T extends Readonly<Record<string, ExportTableSchema>>>(
    tables: T,
    { folder, formats, lastUpdate = 0 }: ExportOptions,
  ): Promise<MetricsExporter<T>> {
    await Deno.mkdir(folder, { recursive: true });
    const sinks = new Map<string, ExportSink<ExportTableSchema>[]>();
    for (const [name, schema] of Object.entries(tables)) {
      const own: ExportSink<ExportTableSchema>[] = [];
      for (const format of formats) {
        const Sink = format === "csv" ? CsvSink : ParquetParts;
        own.push(await Sink.open(`${folder}/${name}`, schema, lastUpdate));
      }
      sinks.set(name, own);
    }
    return new MetricsExporter(sinks);
  }

  /**
   * Adds rows to a table; when it resolves, they are on disk.
   *
   * @throws {TypeError} When a cell is missing or of the wrong kind.
   * @throws {RangeError} When a number does not fit its column.
   */
  async append<K extends keyof T & string>(table: K, rows: readonly RowOf<T[K]>[]): Promise<void> {
    for (const sink of this.#sinks.get(table)!) await sink.append(rows);
  }

  /**
   * Reads everything once more and finishes it; closing twice does nothing.
   *
   * @throws {TypeError} When a file does not hold what was written to it.
   */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const sink of [...this.#sinks.values()].flat()) await sink.close();
  }
}
