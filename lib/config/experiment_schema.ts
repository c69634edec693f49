/**
 * One experiment: everything that decides its numbers.
 *
 * @module
 */
import { z } from "zod";
import { policySchema } from "../policy/mod.ts";
import { ppoSchema } from "../ppo/mod.ts";
import { rewardSchema } from "../reward/mod.ts";
import { clusterSchema } from "../simulator/mod.ts";
import { normalizerSchema, stateSchema } from "../state/mod.ts";
import { parseConfig } from "../support/mod.ts";
import { workloadSchema } from "../workload/mod.ts";
import { evaluationSchema, trainingRunSchema } from "./training_schema.ts";

/**
 * The configuration of one experiment, composed of the areas' own pieces. Unknown keys are refused;
 * each default stands once, in the piece it belongs to, with its source.
 */
export const experimentSchema = z.strictObject({
  seed: z.int().min(0).default(0).describe(
    "Training seed: initial weights, actions, minibatches, training arrivals",
  ),
  cluster: clusterSchema.prefault({}),
  workload: workloadSchema.prefault({ kind: "fitted" }),
  state: stateSchema.prefault({}),
  normalizer: normalizerSchema.prefault({}),
  reward: rewardSchema.prefault({}),
  policy: policySchema.prefault({ kind: "actor_critic" }),
  ppo: ppoSchema.prefault({}),
  training: trainingRunSchema.prefault({}),
  evaluation: evaluationSchema.prefault({}),
});

/** A complete experiment configuration, plain JSON data. */
export type ExperimentConfig = z.infer<typeof experimentSchema>;

/** What may be written: every key with a default may be left out. */
export type ExperimentInput = z.input<typeof experimentSchema>;

/**
 * Validates a configuration and fills in every default.
 *
 * @param input Anything, e.g. parsed JSON; `{}` gives the defaults.
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
 * assert.throws(
 *   () => parseExperimentConfig({ ppo: { clipRatio: -1 } }),
 *   (error) => error instanceof ConfigError && error.field === "ppo.clipRatio",
 * );
 * ```
 */
export function parseExperimentConfig(input: unknown): ExperimentConfig {
  return parseConfig(experimentSchema, input);
}
