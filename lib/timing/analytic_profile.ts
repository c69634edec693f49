/**
 * The file format of coefficients fitted to an engine's log.
 *
 * @module
 */
import { z } from "zod";
import { gpuEfficiencySchema } from "./gpu_efficiency.ts";

const meanErrorsSchema = z.strictObject({
  ttft: z.number(),
  tpot: z.number(),
  e2e: z.number(),
}).describe("Simulated mean over measured mean, less 1.");

/** A profile of kind analytic: the analytic timer's coefficients, with how they were found. */
export const analyticProfileSchema = z.strictObject({
  format: z.literal("signalbox-profile"),
  version: z.literal(1),
  kind: z.literal("analytic"),
  gpu: z.string().min(1).describe("Kind of GPU, a name of the hardware catalogue."),
  models: z.array(z.string().min(1)).min(1).describe("Models that the logs are of."),
  logs: z.array(z.string()).min(1).describe("The logs."),
  requests: z.int().min(1).describe("Requests in them."),
  method: z.string().describe("How the coefficients were found."),
  efficiency: gpuEfficiencySchema.describe("Coefficients of the analytic timer."),
  coefficients: z.array(z.strictObject({
    name: z.string(),
    meaning: z.string(),
    prior: z.number(),
    value: z.number(),
    standardError: z.number().min(0).describe("Jackknife over the folds."),
    isIdentified: z.boolean().describe("Whether the logs tell it, rather than what was expected."),
  })).describe("What was fitted; everything else is the catalogue's."),
  halves: z.strictObject({ fitted: meanErrorsSchema, heldOut: meanErrorsSchema })
    .describe("Fitted to the first half of each log, tested on the second."),
  folds: z.array(meanErrorsSchema)
    .describe("Held out in turn, each a block of time of every log."),
  warnings: z.array(z.string()),
});

/** Validated {@linkcode analyticProfileSchema}. */
export type AnalyticProfile = z.infer<typeof analyticProfileSchema>;
