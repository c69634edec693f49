/**
 * Errors that a caller may want to tell apart.
 *
 * @module
 */

/**
 * A configuration value that is not allowed.
 *
 * @example
 * ```ts
 * import { ConfigError } from "@signalbox/signalbox/support";
 * import assert from "node:assert/strict";
 *
 * const error = new ConfigError("ppo.clipRatio", -1, "a number > 0");
 * assert.equal(
 *   error.message,
 *   "Cannot use this configuration: ppo.clipRatio must be a number > 0, current value is -1",
 * );
 * ```
 */
export class ConfigError extends RangeError {
  /** Class name, as printed. */
  override readonly name = "ConfigError";
  /** Dotted path of the offending key. */
  readonly field: string;
  /** The value found there. */
  readonly value: unknown;
  /** What would have been accepted. */
  readonly allowed: string;

  /** States the field, the value and what is allowed. */
  constructor(field: string, value: unknown, allowed: string) {
    super(
      `Cannot use this configuration: ${field} must be ${allowed}, current value is ${show(value)}`,
    );
    this.field = field;
    this.value = value;
    this.allowed = allowed;
  }
}

/** A data file that cannot be read as its format: names the file and the 1-based line. */
export class TraceError extends SyntaxError {
  /** Class name, as printed. */
  override readonly name = "TraceError";
  /** File the text came from. */
  readonly file: string;
  /** 1-based line number, 0 when the whole file is meant. */
  readonly line: number;

  /** States the file, the line and the reason. */
  constructor(file: string, line: number, reason: string) {
    super(
      line > 0 ? `Cannot read ${file}, line ${line}: ${reason}` : `Cannot read ${file}: ${reason}`,
    );
    this.file = file;
    this.line = line;
  }
}

/** A request to do something that is refused before anything is written; the message says why. */
export class UsageError extends Error {
  /** Class name, as printed. */
  override readonly name = "UsageError";
}

/** Short, quoted form of a value for a message. */
function show(value: unknown): string {
  // JSON has no NaN.
  const text = typeof value === "number" ? String(value) : JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
