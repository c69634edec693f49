/**
 * What sets two configurations apart.
 *
 * @module
 */
import { canonicalJson, isRecord } from "../config/mod.ts";

/**
 * Dotted path of the first key that two configurations differ in, and both values as JSON;
 * undefined when they are equal.
 *
 * @param path Keys that lead to the two, as they are to be named.
 */
export function firstDifference(
  current: unknown,
  saved: unknown,
  path: readonly string[] = [],
): [path: string, current: string, saved: string] | undefined {
  const [currentJson, savedJson] = [current, saved].map((value) =>
    value === undefined ? "absent" : canonicalJson(value)
  ) as [string, string];
  if (currentJson === savedJson) return undefined;
  if (!isRecord(current) || !isRecord(saved)) return [path.join("."), currentJson, savedJson];
  for (const key of new Set([...Object.keys(current), ...Object.keys(saved)])) {
    const difference = firstDifference(current[key], saved[key], [...path, key]);
    if (difference !== undefined) return difference;
  }
  return undefined;
}
