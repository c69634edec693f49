/**
 * A configuration with some keys changed.
 *
 * @module
 */
import { ConfigError } from "../support/mod.ts";
import type { ExperimentConfig } from "./experiment_schema.ts";
import { isRecord } from "./json.ts";
import { type Assignment, assignPaths } from "./overrides.ts";
import { parseExperimentConfig } from "./parse_experiment.ts";
import type { PresetName } from "./presets.ts";

/**
 * A copy of `config` with the assignments made, in order, and validated as a whole.
 *
 * @param config A complete configuration; not changed.
 * @param preset Where keys come from that are left out of a value, when it is a whole block.
 * @throws {ConfigError} When a path is unknown or a value is not allowed there.
 *
 * @example
 * ```ts
 * import { applyAssignments, parseAssignment, parseExperimentConfig } from "@signalbox/signalbox/config";
 * import assert from "node:assert/strict";
 *
 * const config = applyAssignments(
 *   parseExperimentConfig({}),
 *   ["reward.mode=delta", "seed=7"].map(parseAssignment),
 * );
 * assert.equal(config.reward.mode, "delta");
 * assert.equal(config.seed, 7);
 * assert.throws(
 *   () => applyAssignments(config, [{ path: "rewards.mode", value: "delta" }]),
 *   /rewards\.mode must be left out \(unknown key rewards; known here: seed, cluster, /,
 * );
 * ```
 */
export function applyAssignments(
  config: ExperimentConfig,
  assignments: readonly Assignment[],
  preset?: PresetName,
): ExperimentConfig {
  for (const assignment of assignments) refuseUnknown(config, assignment);
  const changed = assignPaths(config, assignments);
  return parseExperimentConfig(preset === undefined ? changed : { ...changed, preset });
}

/** Says what there is where a path takes a wrong turn; optional keys are left to the schema. */
function refuseUnknown(config: ExperimentConfig, { path, value }: Assignment): void {
  const keys = path.split(".");
  if (keys[0] === "preset") {
    throw new ConfigError(path, value, "left out (a preset is chosen by --preset or in the file)");
  }
  let container: unknown = config;
  for (const key of keys.slice(0, -1)) {
    if (isRecord(container) && !Object.hasOwn(container, key)) {
      const known = Object.keys(container).join(", ");
      throw new ConfigError(path, value, `left out (unknown key ${key}; known here: ${known})`);
    }
    container = (container as Record<string, unknown> | undefined)?.[key];
  }
}
