/**
 * Traces with one JSON object a request, told apart by their fields.
 *
 * @module
 */
import { readJsonLines, TraceError } from "../support/mod.ts";
import { type Fail, optionalColumns, readOptional, readTokens } from "./_trace_format.ts";
import type { WorkloadBuilder } from "./_workload_builder.ts";

/** Tokens of a block that Mooncake hashes. */
const MOONCAKE_BLOCK_TOKENS = 512;

const MAX_HASH = 2 ** 31 - 1;

type Fields = Readonly<Record<string, unknown>>;

/** Adds a request to the builder and returns its arrival in seconds. */
type LineReader = (fields: Fields, fail: Fail) => number;

/** Reads all lines; the first decides on the format. */
export async function readJsonTrace(path: string, builder: WorkloadBuilder): Promise<void> {
  let readLine: LineReader | undefined;
  let previousSeconds = 0;
  for await (const { line, value } of readJsonLines(path)) {
    const fail = (reason: string): never => {
      throw new TraceError(path, line, reason);
    };
    if (typeof value !== "object" || value === null) fail("the line must be a JSON object");
    const fields = value as Fields;
    readLine ??= chooseReader(fields, builder, fail);
    const seconds = readLine(fields, fail);
    if (seconds < previousSeconds) {
      fail(
        `arrival times must not decrease, current value is ${seconds} s after ${previousSeconds} s`,
      );
    }
    previousSeconds = seconds;
    for (const column of optionalColumns) {
      const value = fields[column];
      if (value !== undefined && value !== null) {
        const text = typeof value === "string" ? value : show(value);
        builder.set(column, readOptional(column, text, fail));
      }
    }
  }
}

function chooseReader(fields: Fields, builder: WorkloadBuilder, fail: Fail): LineReader {
  if ("hash_ids" in fields) return createMooncakeReader(builder);
  if ("queued_ts" in fields) return createVllmReader(builder);
  return fail(
    "the fields must be timestamp,input_length,output_length,hash_ids or " +
      `queued_ts,input_toks,output_toks, current fields are ${Object.keys(fields).join(",")}`,
  );
}

/** Mooncake: milliseconds from the start, and the hash of every block of the prompt. */
function createMooncakeReader(builder: WorkloadBuilder): LineReader {
  return (fields, fail) => {
    const seconds = numberOf(fields, "timestamp", fail) / 1000;
    const promptTokens = tokensOf(fields, "input_length", fail);
    const outputTokens = tokensOf(fields, "output_length", fail);
    const hashes = hashesOf(fields, Math.ceil(promptTokens / MOONCAKE_BLOCK_TOKENS), fail);
    builder.add(seconds, promptTokens, outputTokens);
    builder.addHashes(hashes, MOONCAKE_BLOCK_TOKENS);
    return seconds;
  };
}

/** The log of vLLM's benchmark: seconds of a monotonic clock; the first request arrives at 0. */
function createVllmReader(builder: WorkloadBuilder): LineReader {
  let first: number | undefined;
  return (fields, fail) => {
    const queued = numberOf(fields, "queued_ts", fail);
    first ??= queued;
    const seconds = queued - first;
    builder.add(
      seconds,
      tokensOf(fields, "input_toks", fail),
      tokensOf(fields, "output_toks", fail),
    );
    return seconds;
  };
}

function numberOf(fields: Fields, name: string, fail: Fail): number {
  const value = fields[name];
  // JSON.parse makes an infinity of a number that is too large.
  return typeof value === "number" && value >= 0 && value < Infinity
    ? value
    : fail(`${name} must be a finite number >= 0, current value is ${show(value)}`);
}

function tokensOf(fields: Fields, name: string, fail: Fail): number {
  const value = fields[name];
  return typeof value === "number"
    ? readTokens(name, String(value), fail)
    : fail(`${name} must be an integer, current value is ${show(value)}`);
}

function hashesOf(fields: Fields, count: number, fail: Fail): number[] {
  const value = fields["hash_ids"];
  const isHash = (id: unknown): boolean =>
    Number.isInteger(id) && Number(id) >= 0 && Number(id) <= MAX_HASH;
  if (!Array.isArray(value) || value.length !== count || !value.every(isHash)) {
    return fail(
      `hash_ids must be ${count} integers in [0, ${MAX_HASH}], one for every ` +
        `${MOONCAKE_BLOCK_TOKENS} tokens of the prompt, current value is ${show(value)}`,
    );
  }
  return value as number[];
}

function show(value: unknown): string {
  const text = typeof value === "number" ? String(value) : JSON.stringify(value) ?? "missing";
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
