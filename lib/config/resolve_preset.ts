/**
 * From what a user wrote and the preset it names to one configuration.
 *
 * @module
 */
import { ConfigError } from "../support/mod.ts";
import { isRecord } from "./json.ts";
import { assignPaths } from "./overrides.ts";
import { presetChanges, type PresetName, presetNames } from "./presets.ts";

/**
 * Puts the changes of the preset that `input.preset` names (`"default"` when it is left out) under
 * the keys given, and takes the key `preset` away. A given value hides the preset's; so does a given
 * block of another `kind`, as a whole.
 *
 * @param input Anything, e.g. parsed JSON; not changed. What is no object is returned as it is, for
 *   the schema to refuse.
 * @throws {ConfigError} When there is no such preset.
 */
export function resolvePreset(input: unknown): unknown {
  if (!isRecord(input)) return input;
  const { preset = "default", ...given } = input;
  if (!isPresetName(preset)) {
    throw new ConfigError("preset", preset, `one of ${presetNames.join(", ")}`);
  }
  return mergeUnder(assignPaths({}, presetChanges[preset]), given);
}

function isPresetName(value: unknown): value is PresetName {
  return (presetNames as readonly unknown[]).includes(value);
}

function mergeUnder(preset: unknown, given: unknown): unknown {
  if (given === undefined) return preset;
  if (!isRecord(preset) || !isRecord(given)) return given;
  if (given.kind !== undefined && given.kind !== preset.kind) return given;
  const merged: Record<string, unknown> = { ...preset };
  for (const [key, value] of Object.entries(given)) {
    const below = Object.hasOwn(preset, key) ? preset[key] : undefined;
    // Not an assignment: a key __proto__ is for the schema to refuse.
    Object.defineProperty(merged, key, {
      value: mergeUnder(below, value),
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  return merged;
}
