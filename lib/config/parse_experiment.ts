/**
 * The edge where a user's experiment becomes a complete configuration.
 *
 * @module
 */
import type { z } from "zod";
import { parseConfig } from "../support/mod.ts";
import { type ExperimentConfig, experimentSchema } from "./experiment_schema.ts";
import type { PresetName } from "./presets.ts";
import { resolvePreset } from "./resolve_preset.ts";

/** What may be written: every key with a default may be left out. */
export type ExperimentInput = z.input<typeof experimentSchema> & {
  /** The set of defaults; `"default"` when left out. */
  readonly preset?: PresetName;
};

/**
 * Validates a configuration and fills in every default: those of the preset that it names, then
 * those of the schema. The result is complete and names no preset, so that equal experiments are
 * equal however they were written; parsed again, it stays as it is. Where a policy could not help
 * reading what is for the value function only, `state.criticSeesOutputTokens` becomes false.
 *
 * @param input Anything, e.g. parsed JSON; `{}` gives the preset `default`.
 * @throws {ConfigError} For the first key that is unknown or not allowed.
 *
 * @example
 * ```ts
 * import { parseExperimentConfig } from "@signalbox/signalbox/config";
 * import { ConfigError } from "@signalbox/signalbox/support";
 * import assert from "node:assert/strict";
 *
 * const config = parseExperimentConfig({ ppo: { clipRatio: 0.1 } });
 * assert.equal(config.ppo.clipRatio, 0.1);
 * assert.equal(config.reward.mode, "request");
 * assert.equal(parseExperimentConfig({ preset: "seed" }).reward.mode, "hybrid");
 * assert.throws(
 *   () => parseExperimentConfig({ ppo: { clipRatio: -1 } }),
 *   (error) => error instanceof ConfigError && error.field === "ppo.clipRatio",
 * );
 * ```
 */
export function parseExperimentConfig(input: unknown): ExperimentConfig {
  return tellCriticApart(parseConfig(experimentSchema, resolvePreset(input)));
}

/** Turns `state.criticSeesOutputTokens` off where value and policy share what they read. */
function tellCriticApart(config: ExperimentConfig): ExperimentConfig {
  const { state, policy } = config;
  const isApart = state.layout === "signalbox" && policy.kind === "replica_scorer" &&
    !policy.sharedEncoder;
  const criticSeesOutputTokens = state.criticSeesOutputTokens && isApart;
  return { ...config, state: { ...state, criticSeesOutputTokens } };
}
