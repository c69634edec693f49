/**
 * Files with one JSON value a line.
 *
 * @module
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { TraceError } from "./errors.ts";

/** One line of a JSON Lines file. */
export interface JsonLine {
  /** 1-based line number. */
  readonly line: number;
  /** The parsed value. */
  readonly value: unknown;
}

/**
 * Reads a JSON Lines file line by line, with or without byte order mark. Empty lines are passed over.
 *
 * @param path File (UTF-8).
 * @throws {TraceError} When the file cannot be read or a line is not JSON.
 *
 * @example
 * ```ts
 * import { readJsonLines } from "@signalbox/signalbox/support";
 * import assert from "node:assert/strict";
 *
 * const path = await Deno.makeTempFile({ suffix: ".jsonl" });
 * await Deno.writeTextFile(path, '{"tokens": 3}\n\n[1]\n');
 * const lines = await Array.fromAsync(readJsonLines(path));
 * assert.deepEqual(lines, [{ line: 1, value: { tokens: 3 } }, { line: 3, value: [1] }]);
 * await Deno.remove(path);
 * ```
 */
export async function* readJsonLines(path: string): AsyncGenerator<JsonLine> {
  const input = createReadStream(path);
  let line = 0;
  try {
    for await (const text of createInterface({ input })) {
      line++;
      const trimmed = (line === 1 ? text.replace(/^\ufeff/, "") : text).trim();
      if (trimmed !== "") yield { line, value: JSON.parse(trimmed) };
    }
  } catch (error) {
    if (error instanceof SyntaxError && !(error instanceof TraceError)) {
      throw new TraceError(path, line, `it is not JSON (${error.message})`);
    }
    if (error instanceof Error && "syscall" in error) {
      throw new TraceError(path, 0, `the file cannot be read (${error.message})`);
    }
    throw error;
  } finally {
    // Readline does not close a stream that is not read to its end.
    input.destroy();
  }
}
