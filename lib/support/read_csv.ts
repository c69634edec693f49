/**
 * CSV files, record by record.
 *
 * @module
 */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { CsvError, type Info, parse } from "csv-parse";
import { TraceError } from "./errors.ts";

/** One record of a CSV file. */
export interface CsvRecord {
  /** 1-based number of the line that it ends on. */
  readonly line: number;
  /** Its fields. */
  readonly fields: readonly string[];
}

/** How fields are read. */
export interface CsvOptions {
  /** Whether spaces around fields are left out. Default false. */
  readonly trim?: boolean;
}

/**
 * Streams the records of a CSV file (RFC 4180, with or without byte order mark, any line ending), the
 * header too. Records may differ in their number of fields. Whoever stops early closes the file.
 *
 * @param path File (UTF-8).
 * @throws {TraceError} When the file cannot be read or a quote is not closed.
 *
 * @example
 * ```ts
 * import { readCsvRecords } from "@signalbox/signalbox/support";
 * import assert from "node:assert/strict";
 *
 * const path = await Deno.makeTempFile({ suffix: ".csv" });
 * await Deno.writeTextFile(path, 'tokens,note\n3,"a, b"\n');
 * const [, row] = await Array.fromAsync(readCsvRecords(path));
 * assert.deepEqual(row, { line: 2, fields: ["3", "a, b"] });
 * await Deno.remove(path);
 * ```
 */
export async function* readCsvRecords(
  path: string,
  { trim = false }: CsvOptions = {},
): AsyncGenerator<CsvRecord> {
  const parser = parse({ bom: true, info: true, relax_column_count: true, trim });
  // A failure on either side destroys the other: the loop below sees it as an exception.
  pipeline(createReadStream(path), parser, () => {});
  try {
    for await (const { record, info } of parser as AsyncIterable<ParsedRecord>) {
      yield { line: info.lines, fields: record };
    }
  } catch (error) {
    if (error instanceof CsvError) {
      throw new TraceError(path, Number(error["lines"] ?? 0), error.message);
    }
    if (error instanceof Error && "syscall" in error) {
      throw new TraceError(path, 0, `the file cannot be read (${error.message})`);
    }
    throw error;
  }
}

interface ParsedRecord {
  readonly record: string[];
  readonly info: Info;
}
