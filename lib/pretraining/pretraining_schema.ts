/**
 * How demonstrations are cloned.
 *
 * @module
 */
import { z } from "zod";

const positive = z.number().gt(0);

/**
 * Configuration of `pretrainPolicy`.
 *
 * @example
 * ```ts
 * import { pretrainingSchema } from "@signalbox/signalbox/pretraining";
 * import assert from "node:assert/strict";
 *
 * assert.equal(pretrainingSchema.parse({}).targets, "soft");
 * ```
 */
export const pretrainingSchema = z.strictObject({
  targets: z.enum(["soft", "hard"]).default("soft").describe(
    "soft: softmax(-scores / temperature) of routers that have scores; hard: the action taken. " +
      "Routers without scores are always cloned by their actions; spec/scheduler.md section 12",
  ),
  temperature: positive.default(0.25).describe(
    "of soft targets, in the router's units of score (least_outstanding: requests); at 0.25 one " +
      "request more makes a replica e^-4 as probable",
  ),
  temperatures: z.record(z.string(), positive).default({}).describe(
    "by router, where it differs from temperature: scores of other routers have other units",
  ),
  weights: z.record(z.string(), z.number().min(0)).default({}).describe(
    "of routers against each other, 1 where left out; every router counts the same at equal " +
      "weights, however many decisions it has; spec/scheduler.md section 12.2",
  ),
  validationShare: z.number().gt(0).lt(1).default(0.2).describe(
    "of each router's episodes, rounded, at least 1 where it has 2; whole episodes, since " +
      "neighbouring decisions resemble each other. spec/scheduler.md section 12.2 takes 0.1 of " +
      "the decisions",
  ),
  epochs: z.int().min(1).default(100).describe("at most; spec/scheduler.md section 12.2"),
  patience: z.int().min(1).default(20).describe(
    "epochs without a lower validation loss before it stops; spec/scheduler.md section 12.2",
  ),
  batchSize: z.int().min(1).default(256).describe("decisions; spec/scheduler.md section 12.2"),
  sequenceLength: z.int().min(1).default(32).describe(
    "steps through which recurrent policies are trained, as the document's rollout_len; " +
      "feed-forward policies always use single decisions",
  ),
  learningRate: positive.default(1e-3).describe("Adam; spec/scheduler.md section 12.2"),
  adamEpsilon: positive.default(1e-5).describe("as ppo.adamEpsilon"),
  maxGradNorm: positive.nullable().default(1).describe(
    "global norm of the gradient is clipped to this, null = not; spec/scheduler.md section 12.2",
  ),
});

/** Typed form of {@linkcode pretrainingSchema}. */
export type PretrainingConfig = z.infer<typeof pretrainingSchema>;
