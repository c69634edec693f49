/**
 * Axes of a sweep whose values are labelled sets of settings.
 *
 * @module
 */
import {
  type Assignment,
  configDifferences,
  experimentSchema,
  type JsonValue,
  parseExperimentConfig,
  type PresetName,
} from "../config/mod.ts";
import { ConfigError } from "../support/mod.ts";

/** A labelled axis. */
export interface VariantAxis {
  /** Name, in the place of a dotted path. */
  readonly name: string;
  /** Its values, in order. */
  readonly choices: readonly { readonly label: string; readonly set: readonly Assignment[] }[];
}

/** What a label stands for in a definition: keys, on top of a preset other than the base's. */
export type VariantSettings = Readonly<Record<string, JsonValue>>;

/**
 * Checks the labelled axes of a definition and turns presets into the keys in which they differ.
 *
 * @param base As it was written: where it names no preset, a variant may.
 * @throws {ConfigError} When a name is not allowed, or a preset is not allowed.
 */
export function resolveVariants(
  variants: Readonly<Record<string, Readonly<Record<string, VariantSettings>>>>,
  base: unknown,
): VariantAxis[] {
  const parsed = parseExperimentConfig(base);
  return Object.entries(variants).map(([name, choices]) => {
    if (!/^[a-z][a-z0-9_]*$/.test(name) || isConfigPath(name)) {
      throw new ConfigError(
        "sweep.variants",
        name,
        "named in snake_case, unlike any key's section",
      );
    }
    return {
      name,
      choices: Object.entries(choices).map(([label, { preset, ...settings }]) => ({
        label,
        set: [
          ...(preset === undefined ? [] : configDifferences(
            parsed,
            parseExperimentConfig({ ...(base as object), preset: preset as PresetName }),
          )),
          ...Object.entries(settings).map(([path, value]) => ({ path, value })),
        ],
      })),
    };
  });
}

/** Whether a path leads into a configuration; if not, it is the name of a labelled axis. */
export function isConfigPath(path: string): boolean {
  return Object.hasOwn(experimentSchema.shape, path.split(".")[0]!);
}

/**
 * The settings that a label of a labelled axis stands for.
 *
 * @throws {ConfigError} When the axis has no such label.
 */
export function settingsOf(
  assignment: Assignment,
  variants: readonly VariantAxis[],
): readonly Assignment[] {
  const { choices } = variants.find(({ name }) => name === assignment.path)!;
  const choice = choices.find(({ label }) => label === assignment.value);
  if (choice === undefined) {
    const labels = choices.map(({ label }) => label).join(", ");
    throw new ConfigError(assignment.path, assignment.value, `one of ${labels}`);
  }
  return choice.set;
}
