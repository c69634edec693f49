/**
 * Real traces from files.
 *
 * @module
 */
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { readCsvRecords, TraceError } from "../support/mod.ts";
import { readJsonTrace } from "./_json_trace.ts";
import {
  type Fail,
  optionalColumns,
  readOptional,
  readTokens,
  TRACE_FORMATS,
  type TraceFormat,
} from "./_trace_format.ts";
import { type OptionalColumn, WorkloadBuilder } from "./_workload_builder.ts";
import type { Workload } from "./workload.ts";

/**
 * Reads a request trace, streaming, so that only the columns are held in memory. The format is
 * recognised by its header or by the fields of the first line, in any order:
 *
 * - Vidur: `arrived_at` (seconds), `num_prefill_tokens`, `num_decode_tokens`;
 * - Azure LLM inference: `TIMESTAMP` (UTC, up to 9 digits of fraction; the first is time 0),
 *   `ContextTokens`, `GeneratedTokens`;
 * - BurstGPT: `Timestamp` (seconds), `Request tokens`, `Response tokens`, others not read; of its
 *   files, those without failed requests, which have no response;
 * - Mooncake, JSON Lines: `timestamp` (milliseconds), `input_length`, `output_length`, `hash_ids` of
 *   blocks of 512 tokens, kept as `prefixHashes`;
 * - vLLM's benchmark, JSON Lines: `queued_ts` (seconds; the first is time 0), `input_toks`,
 *   `output_toks`, others not read.
 *
 * Any of them may also have `priority` (an integer, larger is more urgent) and the latency targets
 * `ttft_slo_seconds`, `tpot_slo_seconds` and `e2e_slo_seconds`, empty or absent where there is none.
 *
 * @param path CSV or JSON Lines file (UTF-8, with or without byte order mark, any line ending).
 * @returns The requests in file order, named after the file.
 * @throws {TraceError} When the file cannot be opened, has no rows or no known header; when a row
 *   is no JSON, has another number of fields than the header or of hashes than blocks, a malformed or
 *   negative number or time, a token count below 1, or an earlier time than the row before. The error
 *   has the file and the line.
 *
 * @example
 * ```ts
 * import { readTrace } from "@signalbox/signalbox/workload";
 * import assert from "node:assert/strict";
 *
 * const path = await Deno.makeTempFile({ suffix: ".csv" });
 * await Deno.writeTextFile(path, "arrived_at,num_prefill_tokens,num_decode_tokens\n0.5,374,44\n");
 * const workload = await readTrace(path);
 * assert.deepEqual([...workload.promptTokens], [374]);
 * await Deno.remove(path);
 * ```
 */
export async function readTrace(path: string): Promise<Workload> {
  const builder = new WorkloadBuilder();
  if (await isJson(path)) await readJsonTrace(path, builder);
  else await readCsvTrace(path, builder);
  if (builder.count === 0) throw new TraceError(path, 0, "there must be at least one request");
  return builder.build(basename(path));
}

/** Bytes that are enough to see how a file begins. */
const SNIFFED_BYTES = 64;

/** Whether a file begins with a JSON object. */
async function isJson(path: string): Promise<boolean> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(new Uint8Array(SNIFFED_BYTES));
    return /^\ufeff?\s*\{/.test(new TextDecoder().decode(buffer.subarray(0, bytesRead)));
  } catch (error) {
    throw new TraceError(path, 0, `the file cannot be read (${(error as Error).message})`);
  }
}

async function readCsvTrace(path: string, builder: WorkloadBuilder): Promise<void> {
  let readRow: RowReader | undefined;
  let optional: (readonly [column: OptionalColumn, at: number])[] = [];
  let previousSeconds = 0;
  for await (const { line, fields } of readCsvRecords(path, { trim: true })) {
    const fail = (reason: string): never => {
      throw new TraceError(path, line, reason);
    };
    if (readRow === undefined) {
      readRow = createRowReader(fields, fail);
      optional = optionalColumns
        .map((column) => [column, fields.indexOf(column)] as const)
        .filter(([, at]) => at >= 0);
      continue;
    }
    const [seconds, promptTokens, outputTokens] = readRow(fields, fail);
    if (seconds < previousSeconds) {
      fail(
        `arrival times must not decrease, current value is ${seconds} s after ${previousSeconds} s`,
      );
    }
    previousSeconds = seconds;
    builder.add(seconds, promptTokens, outputTokens);
    for (const [column, at] of optional) {
      builder.set(column, readOptional(column, fields[at]!, fail));
    }
  }
}

/** Arrival seconds, prompt tokens, output tokens of a row. */
type RowReader = (record: readonly string[], fail: Fail) => readonly [number, number, number];

/** Recognises the format by the header and says where its columns are. */
function createRowReader(header: readonly string[], fail: Fail): RowReader {
  const format = TRACE_FORMATS.find((candidate) => header.includes(candidate.arrivalColumn));
  if (format === undefined) {
    const known = TRACE_FORMATS.map((candidate) => columnsOf(candidate).join(","));
    fail(`the header must be ${known.join(" or ")}, current value is "${header.join(",")}"`);
  }
  const columns = columnsOf(format);
  for (const column of columns) {
    if (!header.includes(column)) fail(`the header lacks the column ${column}`);
  }
  for (const [i, column] of header.entries()) {
    const isKnown = [...columns, ...format.unreadColumns, ...optionalColumns].includes(column);
    if (!isKnown) fail(`the header has an unknown column "${column}"`);
    if (header.indexOf(column) !== i) fail(`the header has the column ${column} twice`);
  }
  const [arrivalAt, promptAt, outputAt] = columns.map((column) => header.indexOf(column));
  const readArrival = format.createArrivalReader();
  return (record, failRow) => {
    if (record.length !== header.length) {
      failRow(`there must be ${header.length} fields, current number is ${record.length}`);
    }
    return [
      readArrival(record[arrivalAt!]!, failRow),
      readTokens(format.promptColumn, record[promptAt!]!, failRow),
      readTokens(format.outputColumn, record[outputAt!]!, failRow),
    ];
  };
}

function columnsOf(format: TraceFormat): [string, string, string] {
  return [format.arrivalColumn, format.promptColumn, format.outputColumn];
}
