/**
 * The edge where logged JSON becomes typed.
 *
 * @module
 */
import type { z } from "zod";
import { TraceError } from "../support/mod.ts";

/** Validates a value of a file; the error names file, line (0 for the whole file) and field. */
export function parseLogged<T>(
  schema: z.ZodType<T>,
  value: unknown,
  path: string,
  line: number,
): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path: field, message } = parsed.error.issues[0]!;
  const name = field.join(".");
  const isMissing = field.length > 0 && message.endsWith("received undefined");
  throw new TraceError(
    path,
    line,
    isMissing ? `it has no ${name}` : `${name || "the value"}: ${message}`,
  );
}

/** Reads a JSON file of a known shape. */
export async function readLogged<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  let value: unknown;
  try {
    value = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new TraceError(path, 0, `the file cannot be read (${(error as Error).message})`);
  }
  return parseLogged(schema, value, path, 0);
}
