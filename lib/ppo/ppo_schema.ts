/**
 * Every hyper-parameter of the trainer.
 *
 * @module
 */
import { z } from "zod";

const positive = z.number().gt(0);
const nonNegative = z.number().min(0);
const fraction = z.number().min(0).max(1);
/** Adam divides by 1 - beta^t. */
const beta = z.number().min(0).lt(1);

/** Faults of the original code. Source: spec/scheduler.md section 10.2, item 1. */
const faultsSchema = z.strictObject({
  updateTemperature: z.enum(["acted", "one"]).default("acted").describe(
    "one: the update takes every decision for one at temperature 1, whatever it was made at",
  ),
  sequenceStates: z.enum(["stored", "afterRollout"]).default("stored").describe(
    "afterRollout: the update evaluates every decision of a recurrent policy from the hidden state " +
      "that the rollout ended in; needs ppo.sequenceLength 1, single decisions that are shuffled",
  ),
});

/**
 * Hyper-parameters of PPO. Defaults are the document's (spec/scheduler.md sections 0 and 3) unless
 * the description names another source.
 *
 * @example
 * ```ts
 * import { ppoSchema } from "@signalbox/signalbox/ppo";
 * import assert from "node:assert/strict";
 *
 * assert.equal(ppoSchema.parse({}).clipRatio, 0.15);
 * ```
 */
export const ppoSchema = z.strictObject({
  learningRate: positive.default(5e-3).describe("Adam's step size; document, scheduler defaults"),
  learningRateSchedule: z.enum(["constant", "linear"]).default("constant").describe(
    "linear: falls to 0 over the run (detail 4 of the 37 implementation details of PPO)",
  ),
  adamBeta1: beta.default(0.9).describe("Kingma and Ba, Adam (2015)"),
  adamBeta2: beta.default(0.999).describe("Kingma and Ba, Adam (2015)"),
  adamEpsilon: positive.default(1e-5).describe("detail 3 of the 37 implementation details of PPO"),
  gamma: fraction.default(0.95).describe("discount per decision; document, scheduler defaults"),
  gaeLambda: fraction.default(0.95).describe("document, scheduler defaults"),
  clipRatio: positive.default(0.15).describe(
    "importance ratios are clipped to 1 -+ this; document, scheduler defaults",
  ),
  valueClipRatio: positive.nullable().default(null).describe(
    "values move at most this far from the stored ones, null = not clipped. The document clips " +
      "with clipRatio, in raw units of return; off after spec/practice.md section 3",
  ),
  valueCoef: nonNegative.default(0.5).describe("document, scheduler defaults"),
  entropyCoef: nonNegative.default(0.25).describe("document, scheduler defaults"),
  entropyCoefFinal: nonNegative.nullable().default(null).describe(
    "the entropy coefficient moves linearly to this over the run, null = constant",
  ),
  entropyFloor: nonNegative.default(0).describe(
    "nats; below it a penalty (differentiable, unlike the original's) pushes the entropy up",
  ),
  entropyFloorCoef: nonNegative.default(0.1).describe(
    "weight of that penalty; spec/scheduler.md section 10",
  ),
  entropyCeiling: positive.nullable().default(null).describe(
    "nats; above it a penalty (differentiable, unlike the original's) pushes the entropy down, " +
      "null = none; spec/scheduler.md section 10, its threshold penalty",
  ),
  entropyCeilingCoef: nonNegative.default(0.05).describe(
    "weight of that penalty; spec/scheduler.md section 3",
  ),
  entropyWarmupCoef: nonNegative.default(0).describe(
    "added to the entropy coefficient at the first optimiser step, falling linearly to 0. The " +
      "original adds 0.5, whatever it is told; spec/scheduler.md section 10",
  ),
  entropyWarmupSteps: z.int().min(1).default(500).describe(
    "optimiser steps until that is gone; spec/scheduler.md section 3",
  ),
  klCoef: nonNegative.default(0.2).describe(
    "weight of the exact divergence KL(old || new); spec/scheduler.md section 3",
  ),
  referenceKlCoef: nonNegative.default(0.5).describe(
    "weight of KL(current || reference) at the start, in runs that begin from a policy " +
      "(training.initialPolicy); spec/scheduler.md section 3",
  ),
  referenceKlCoefFinal: nonNegative.default(0).describe(
    "that weight after referenceKlDecaySteps, and from then on; spec/scheduler.md section 3",
  ),
  referenceKlDecaySteps: z.int().min(1).default(1000).describe(
    "optimiser steps over which that weight moves linearly; spec/scheduler.md sections 0 and 3",
  ),
  targetKl: positive.nullable().default(0.01).describe(
    "an update stops before a step from 1.5 times this divergence, null = never; document",
  ),
  epochs: z.int().min(1).default(8).describe("passes over a rollout; document"),
  rolloutLength: z.int().min(1).default(32).describe("decisions per environment; document"),
  minibatchSize: z.int().min(1).default(64).describe("decisions; document"),
  sequenceLength: z.int().min(1).nullable().default(null).describe(
    "steps through which recurrent policies are trained, a divisor of rolloutLength; null = " +
      "rolloutLength. Feed-forward policies always use single steps",
  ),
  advantageNormalization: z.enum(["minibatch", "rollout", "none"]).default("minibatch").describe(
    "zero mean, unit deviation; detail 7 of the 37 implementation details of PPO",
  ),
  maxGradNorm: positive.nullable().default(1).describe(
    "global norm of the gradient is clipped to this, null = not; spec/scheduler.md section 3",
  ),
  optimizers: z.enum(["joint", "separate"]).default("joint").describe(
    "separate: parameters that only the value depends on have a step size and a gradient clip of " +
      "their own; spec/scheduler.md section 10.2, item 5. The document has one optimiser",
  ),
  criticLearningRate: positive.nullable().default(null).describe(
    "with separate optimizers: step size of the value's own parameters, under the same schedule; " +
      "null = learningRate",
  ),
  criticMaxGradNorm: positive.nullable().default(1).describe(
    "with separate optimizers: the gradient of the value's own parameters is clipped to this norm, " +
      "null = not; as maxGradNorm",
  ),
  returnNormalization: z.boolean().default(false).describe(
    "the value head learns returns in units of their running mean and deviation, and so does " +
      "valueClipRatio count; van Hasselt et al. (2016). The document learns raw returns",
  ),
  rewardScaling: z.boolean().default(false).describe(
    "divide rewards by the running deviation of the return, discounted by gamma a decision even where " +
      "training.discountTauSeconds discounts otherwise, without subtracting a mean; spec/practice.md " +
      "section 3",
  ),
  rewardClip: positive.nullable().default(null).describe(
    "with rewardScaling: scaled rewards are clipped to -+ this, null = not; 10 is gymnasium's habit",
  ),
  faults: faultsSchema.prefault({}).describe(
    "For ablations only: ways in which the original learns from other circumstances than it acted in",
  ),
}).refine(
  ({ rolloutLength, sequenceLength }) =>
    sequenceLength === null || rolloutLength % sequenceLength === 0,
  { path: ["sequenceLength"], message: "a divisor of ppo.rolloutLength" },
).refine(
  ({ faults, sequenceLength }) => faults.sequenceStates === "stored" || sequenceLength === 1,
  { path: ["sequenceLength"], message: "1 when ppo.faults.sequenceStates is afterRollout" },
);

/** Hyper-parameters of PPO. */
export type PpoConfig = z.infer<typeof ppoSchema>;
