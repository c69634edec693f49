/**
 * The CSV trace formats that are understood, told apart by their header.
 *
 * @module
 */

import { OPTIONAL_COLUMNS, type OptionalColumn } from "./_workload_builder.ts";

/** Ends the reading of a row with the reason why it cannot be read. */
export type Fail = (reason: string) => never;

/** Reads one column of arrival times; stateful where times are relative to the first row. */
export type ArrivalReader = (text: string, fail: Fail) => number;

/** A CSV trace format: one row a request. */
export interface TraceFormat {
  /** Name for messages. */
  readonly name: string;
  /** Column of the arrival time. */
  readonly arrivalColumn: string;
  /** Column of the prompt length in tokens. */
  readonly promptColumn: string;
  /** Column of the output length in tokens. */
  readonly outputColumn: string;
  /** Columns that may be there and are not read. */
  readonly unreadColumns: readonly string[];
  /** Creates the reader of arrival times of one file, in seconds. */
  createArrivalReader(): ArrivalReader;
}

/** Formats by source: spec/practice.md section 6. */
export const TRACE_FORMATS: readonly TraceFormat[] = [
  {
    name: "Vidur",
    arrivalColumn: "arrived_at",
    promptColumn: "num_prefill_tokens",
    outputColumn: "num_decode_tokens",
    unreadColumns: [],
    createArrivalReader: () => createSecondsReader("arrived_at"),
  },
  {
    name: "Azure",
    arrivalColumn: "TIMESTAMP",
    promptColumn: "ContextTokens",
    outputColumn: "GeneratedTokens",
    unreadColumns: [],
    createArrivalReader: createTimestampReader,
  },
  {
    name: "BurstGPT",
    arrivalColumn: "Timestamp",
    promptColumn: "Request tokens",
    outputColumn: "Response tokens",
    unreadColumns: ["Session ID", "Elapsed time", "Model", "Total tokens", "Log Type"],
    createArrivalReader: () => createSecondsReader("Timestamp"),
  },
];

/** Columns that any trace may have. */
export const optionalColumns = Object.keys(OPTIONAL_COLUMNS) as readonly OptionalColumn[];

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const MAX_TOKENS = 2 ** 31 - 1;

/** Reads a token count: an integer in [1, 2^31). A decimal point with zeros is let pass. */
export function readTokens(column: string, text: string, fail: Fail): number {
  const tokens = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (!Number.isInteger(tokens) || tokens < 1 || tokens > MAX_TOKENS) {
    fail(`${column} must be an integer in [1, ${MAX_TOKENS}], current value is "${text}"`);
  }
  return tokens;
}

/** Reads an optional column: a 32-bit priority, or a latency target in seconds > 0; "" is neither. */
export function readOptional(column: OptionalColumn, text: string, fail: Fail): number {
  if (text === "") return OPTIONAL_COLUMNS[column];
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (column === "priority") {
    if (value === (value | 0)) return value;
    return fail(`priority must be a 32-bit integer, current value is "${text}"`);
  }
  if (value > 0 && value < Infinity) return value;
  return fail(`${column} must be a finite number > 0, current value is "${text}"`);
}

/** Reads times in seconds since the start of the trace. */
function createSecondsReader(column: string): ArrivalReader {
  return (text, fail) => {
    const seconds = NUMBER.test(text) ? Number(text) : Number.NaN;
    if (!Number.isFinite(seconds) || seconds < 0) {
      fail(`${column} must be a finite number >= 0, current value is "${text}"`);
    }
    return seconds;
  };
}

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)?$/;

/** Reads UTC time stamps as seconds since the first one; fractions of a second stay exact. */
function createTimestampReader(): ArrivalReader {
  let firstWhole: number | undefined;
  let firstFraction = 0;
  return (text, fail) => {
    const match = TIMESTAMP.exec(text);
    const whole = match === null ? Number.NaN : wholeSeconds(match);
    if (Number.isNaN(whole)) {
      fail(`TIMESTAMP must be a time like 2023-11-16 18:15:46.6805900, current value is "${text}"`);
    }
    const fraction = Number(`0.${match?.[7] ?? 0}`);
    if (firstWhole === undefined) {
      firstWhole = whole;
      firstFraction = fraction;
    }
    const seconds = whole - firstWhole + (fraction - firstFraction);
    if (seconds < 0) fail(`TIMESTAMP must not decrease, current value is "${text}"`);
    return seconds;
  };
}

/** Seconds since 1970 of a matched time stamp without its fraction, NaN if there is no such date. */
function wholeSeconds(match: RegExpExecArray): number {
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day &&
    hour < 24 && minute < 60 && second < 60;
  return exists ? date.getTime() / 1000 : Number.NaN;
}
