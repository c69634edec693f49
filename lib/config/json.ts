/**
 * Configurations as plain JSON: one text and one hash for equal contents.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** What JSON can hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/**
 * JSON text with sorted keys and without white space: equal contents give equal text, whatever the
 * order in which keys were written. Keys whose value is `undefined` are left out, as in
 * `JSON.stringify`.
 *
 * @throws {TypeError} For what JSON cannot hold faithfully: NaN, infinities, functions, class instances.
 *
 * @example
 * ```ts
 * import { canonicalJson } from "@signalbox/signalbox/config";
 * import assert from "node:assert/strict";
 *
 * assert.equal(canonicalJson({ b: [1, "x"], a: true }), '{"a":true,"b":[1,"x"]}');
 * ```
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") {
    return JSON.stringify(value);
  }
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (isRecord(value)) {
    const members = Object.keys(value).filter((key) => value[key] !== undefined).sort();
    return `{${
      members.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`).join(",")
    }}`;
  }
  throw new TypeError(
    `Cannot write as JSON: value must be null, a boolean, a finite number, a string, an array or a plain object, current value is ${
      String(value)
    }`,
  );
}

/**
 * Content hash of a configuration (or of any JSON value): the first 16 hexadecimal digits of the
 * SHA-256 of its canonical JSON.
 *
 * @example Key order does not matter, values do
 * ```ts
 * import { hashConfig } from "@signalbox/signalbox/config";
 * import assert from "node:assert/strict";
 *
 * assert.equal(hashConfig({ a: 1, b: 2 }), hashConfig({ b: 2, a: 1 }));
 * assert.notEqual(hashConfig({ a: 1, b: 2 }), hashConfig({ a: 1, b: 3 }));
 * ```
 */
export function hashConfig(config: unknown): string {
  return createHash("sha256").update(canonicalJson(config)).digest("hex").slice(0, 16);
}

/** Whether the value is a plain object (a JSON object), not an array or a class instance. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== "object") return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
