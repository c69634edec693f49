/**
 * Training that begins with an easier task.
 *
 * @module
 */
import { z } from "zod";

const scale = z.number().positive().finite().default(1);

/**
 * Stages of a curriculum, in order; after the last one, and from the start when there is none, the
 * task is the configured one. Source: spec/scheduler.md section 6.5, whose rate and latency scales
 * the original only logs.
 */
export const curriculumSchema = z.array(z.strictObject({
  decisions: z.int().min(1).describe(
    "How long the stage lasts, over all environments; an episode keeps the stage it began in",
  ),
  rateScale: scale.describe("Arrivals come at this multiple of the configured rate"),
  latencyThresholdScale: scale.describe(
    "reward.latencyThresholdSeconds counts this many times as much",
  ),
  rewardPenaltyScale: scale.describe("Negative rewards are multiplied by this"),
})).default([]);

/** Typed form of {@linkcode curriculumSchema}. */
export type CurriculumConfig = z.infer<typeof curriculumSchema>;
