/**
 * How a policy is trained and judged.
 *
 * @module
 */
import { z } from "zod";
import { tailLatencySchema } from "../metrics/mod.ts";
import { curriculumSchema } from "./curriculum_schema.ts";
import { mixtureSchema } from "./mixture_schema.ts";
import { temperatureSchema } from "./temperature_schema.ts";
import { validationSchema } from "./validation_schema.ts";

/** The training run around the PPO updates. */
export const trainingRunSchema = z.strictObject({
  environments: z.int().min(1).max(1024).default(8).describe(
    "Simulations side by side, each with arrivals of its own; spec/practice.md section 9 gives 8-16",
  ),
  decisions: z.int().min(1).default(20_000).describe(
    "Requests routed in training, over all environments; rounded up to whole rollouts",
  ),
  episodeRequests: z.int().min(2).default(1000).describe(
    "Requests of one simulation before the next begins on an idle cluster; the first episodes are " +
      "shorter, each by another amount",
  ),
  statisticsStabilizationSteps: z.int().min(0).default(100).describe(
    "Decisions under uniformly random actions that feed the normaliser before training begins, " +
      "over all environments; document",
  ),
  discountTauSeconds: z.number().positive().finite().nullable().default(null).describe(
    "What follows t simulated seconds later counts exp(-t / tau); null = ppo.gamma a decision. " +
      "spec/scheduler.md A2",
  ),
  initialPolicy: z.string().min(1).nullable().default(null).describe(
    "Checkpoint (file or folder) whose weights and normaliser the run begins with, and which it is " +
      "held near (ppo.referenceKlCoef); the normaliser stays as it is, so there is no " +
      "stabilisation. null = random weights. spec/scheduler.md section 12",
  ),
  temperature: temperatureSchema.prefault({}),
  curriculum: curriculumSchema,
  mixture: mixtureSchema,
  tailLatency: tailLatencySchema,
  validation: validationSchema.prefault({}),
});

/** How policies are compared. */
export const evaluationSchema = z.strictObject({
  seeds: z.array(z.int().min(0)).min(1).refine(
    (seeds) => new Set(seeds).size === seeds.length,
    "a list of distinct integers >= 0",
  ).default([1, 2, 3, 4, 5]).describe(
    "One run of held-out arrivals each, the same for every policy; from a trace, the seeds only " +
      "number its stretches",
  ),
  requests: z.int().min(2).default(1000).describe(
    "Requests a run; from a trace, no more than leave every run a stretch of its own",
  ),
  sampling: z.array(z.enum(["greedy", "sampled"])).min(1).refine(
    (modes) => new Set(modes).size === modes.length,
    "a list of distinct modes",
  ).default(["greedy"]).describe(
    "How a learned policy acts: its most probable replica, or one drawn from its distribution",
  ),
});

/** Typed form of {@linkcode evaluationSchema}. */
export type EvaluationConfig = z.infer<typeof evaluationSchema>;
