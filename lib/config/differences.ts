/**
 * From one configuration to another.
 *
 * @module
 */
import { isRecord, type JsonValue } from "./json.ts";
import type { Assignment } from "./overrides.ts";

/**
 * The assignments that make one configuration the other; blocks of another kind as a whole.
 *
 * @param from A complete configuration, or a block of one.
 * @param to Another with the same keys.
 * @param path Path of both; empty for whole configurations.
 *
 * @example
 * ```ts
 * import { configDifferences, parseExperimentConfig } from "@signalbox/signalbox/config";
 * import assert from "node:assert/strict";
 *
 * const from = parseExperimentConfig({});
 * const to = parseExperimentConfig({ seed: 7, ppo: { clipRatio: 0.1 } });
 * assert.deepEqual(configDifferences(from, to), [
 *   { path: "seed", value: 7 },
 *   { path: "ppo.clipRatio", value: 0.1 },
 * ]);
 * ```
 */
export function configDifferences(from: unknown, to: unknown, path = ""): Assignment[] {
  if (isRecord(from) && isRecord(to) && from.kind === to.kind) {
    return Object.entries(to).flatMap(([key, value]) =>
      configDifferences(from[key], value, path === "" ? key : `${path}.${key}`)
    );
  }
  if (JSON.stringify(from) === JSON.stringify(to)) return [];
  return [{ path, value: to as JsonValue }];
}
