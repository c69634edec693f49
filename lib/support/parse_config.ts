/**
 * The edge where untyped input becomes typed configuration.
 *
 * @module
 */
import type { z } from "zod";
import { ConfigError } from "./errors.ts";

/**
 * Validates `input` against a schema and returns the typed value with every default filled in.
 *
 * @param schema A zod schema (objects strict: unknown keys are refused).
 * @param input Anything, e.g. parsed JSON.
 * @param prefix Path put before every field name in errors, e.g. `"cluster"`.
 * @throws {ConfigError} For the first field that is not allowed.
 */
export function parseConfig<T>(schema: z.ZodType<T>, input: unknown, prefix = ""): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = meantIssue(parsed.error.issues[0]!);
  const path = [...(prefix === "" ? [] : [prefix]), ...issue.path.map(String)];
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0]!;
    const value = (valueAt(input, issue.path) as Record<string, unknown>)[key];
    throw new ConfigError([...path, key].join("."), value, "left out (unknown key)");
  }
  throw new ConfigError(path.join(".") || "(root)", valueAt(input, issue.path), allowedText(issue));
}

/**
 * Of a union without a discriminator, the issue of the member that was meant: the one that found
 * fault deepest inside the value. The issue itself when the value is of no member's type.
 */
function meantIssue(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union") return issue;
  const deepest = issue.errors.flatMap(([first]) => first ?? [])
    .reduce<z.core.$ZodIssue | undefined>(
      (best, each) => each.path.length > (best?.path.length ?? 0) ? each : best,
      undefined,
    );
  return deepest === undefined
    ? issue
    : meantIssue({ ...deepest, path: [...issue.path, ...deepest.path] });
}

/** Follows a path of keys into an unknown value. */
function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (value === null || typeof value !== "object") return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** Says what a field accepts, from zod's issue. */
function allowedText(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      // zod says what it received of numbers only: NaN or an infinity.
      return "received" in issue ? "a finite number" : `of type ${issue.expected}`;
    case "too_small":
      return sizeText(issue.origin, `${issue.inclusive ? ">=" : ">"} ${issue.minimum}`);
    case "too_big":
      return sizeText(issue.origin, `${issue.inclusive ? "<=" : "<"} ${issue.maximum}`);
    case "invalid_value":
      return oneOf(issue.values);
    case "invalid_union":
      return "options" in issue && issue.options
        ? oneOf(issue.options)
        : issue.errors.flatMap(([first]) => first ? [allowedText(first)] : []).join(" or ");
    default:
      return issue.message;
  }
}

/** What a bound is of: the value itself, or how much it holds. */
function sizeText(origin: string, bound: string): string {
  if (origin === "array") return `of ${bound} entries`;
  return origin === "string" ? `of ${bound} characters` : bound;
}

function oneOf(values: readonly unknown[]): string {
  return `one of ${values.map((value) => JSON.stringify(value)).join(", ")}`;
}
