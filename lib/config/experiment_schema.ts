/**
 * One experiment: everything that decides its numbers.
 *
 * @module
 */
import { z } from "zod";
import { policySchema } from "../policy/mod.ts";
import { ppoSchema } from "../ppo/mod.ts";
import { rewardSchema } from "../reward/mod.ts";
import { clusterSchema, incidentPlanSchema } from "../simulator/mod.ts";
import { normalizerSchema, stateSchema } from "../state/mod.ts";
import { workloadSchema } from "../workload/mod.ts";
import { evaluationSchema, trainingRunSchema } from "./training_schema.ts";

/**
 * The configuration of one experiment, composed of the areas' own pieces. Unknown keys are refused.
 * Each default stands once, with its source: in the piece it belongs to, or in a preset, which
 * {@linkcode parseExperimentConfig} puts under the keys given before it asks this schema.
 */
export const experimentSchema = z.strictObject({
  seed: z.int().min(0).default(0).describe(
    "Training seed: initial weights, actions, minibatches, training arrivals",
  ),
  cluster: clusterSchema.prefault({}),
  workload: workloadSchema.prefault({ kind: "fitted" }),
  incidents: incidentPlanSchema.prefault({}).describe(
    "What happens to replicas, in training episodes and evaluation runs alike",
  ),
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
