/**
 * Where presets differ.
 *
 * @module
 */
import { isRecord, type JsonValue } from "./json.ts";
import { parseExperimentConfig } from "./parse_experiment.ts";
import { presetChanges, type PresetName, presetNames } from "./presets.ts";

/** A key whose value depends on the preset. */
export interface PresetDifference {
  /** Dotted path. */
  readonly path: string;
  /** Each preset's value; undefined where a block of another kind has no such key. */
  readonly values: Readonly<Record<PresetName, JsonValue | undefined>>;
  /** Each preset's source; undefined where the value is the schema's default. */
  readonly sources: Readonly<Record<PresetName, string | undefined>>;
}

/**
 * Every key in which the presets differ, in the order of the schema. Where their blocks are of
 * different kinds, keys that only one of them has are left out unless the preset sets them.
 *
 * @example
 * ```ts
 * import { comparePresets } from "@signalbox/signalbox/config";
 * import assert from "node:assert/strict";
 *
 * const mode = comparePresets().find(({ path }) => path === "reward.mode");
 * assert.deepEqual(mode?.values, { default: "request", seed: "hybrid" });
 * ```
 */
export function comparePresets(): PresetDifference[] {
  const leaves = presetNames.map((preset) => leavesOf(parseExperimentConfig({ preset })));
  const paths = new Set(leaves.flatMap((members) => [...members.keys()]));
  return [...paths].flatMap((path) => {
    const values = leaves.map((members) => members.get(path));
    const sources = presetNames.map((name) => sourceOf(name, path));
    const isChosen = sources.some((source) => source !== undefined) || !values.includes(undefined);
    if (!isChosen || new Set(values.map((value) => JSON.stringify(value))).size === 1) return [];
    return [{
      path,
      values: Object.fromEntries(presetNames.map((name, i) => [name, values[i]])),
      sources: Object.fromEntries(presetNames.map((name, i) => [name, sources[i]])),
    } as PresetDifference];
  });
}

/** Values by dotted path; lists count as one value. */
function leavesOf(config: unknown, prefix = ""): Map<string, JsonValue> {
  if (!isRecord(config)) return new Map([[prefix.slice(1), config as JsonValue]]);
  return new Map(
    Object.entries(config).flatMap(([key, value]) => [...leavesOf(value, `${prefix}.${key}`)]),
  );
}

function sourceOf(preset: PresetName, path: string): string | undefined {
  return presetChanges[preset].find((change) => `${path}.`.startsWith(`${change.path}.`))?.source;
}
