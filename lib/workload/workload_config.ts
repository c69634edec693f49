/**
 * Configuration of a workload.
 *
 * @module
 */
import { z } from "zod";
import { arrivalSchema } from "./arrivals.ts";
import { fittedWorkloadNames } from "./fitted_workloads.ts";
import { lengthSchema } from "./lengths.ts";
import { overLengthSchema } from "./limit_tokens.ts";
import { requestClassSchema } from "./request_classes.ts";

const limits = {
  maxTokens: z.number().int().min(2).optional().describe(
    "Largest allowed sum of prompt and output tokens; no limit when left out",
  ),
  overLength: overLengthSchema.default("refuse").describe("What happens to longer requests"),
  classes: z.array(requestClassSchema).min(1).optional().describe(
    "Classes that requests are dealt to, with priorities and latency targets; one without either " +
      "when left out",
  ),
};

const ratePerSecond = z.number().positive().optional().describe(
  "Mean arrivals per second, reached by scaling time; the trace's own when left out",
);

const fraction = z.number().min(0).max(1);

/** Schema of requests drawn from a trace's statistics. */
export const fittedWorkloadSchema = z.strictObject({
  kind: z.literal("fitted"),
  name: z.enum(fittedWorkloadNames).default("azure_conversation_2023"),
  ratePerSecond,
  ...limits,
});

/** Schema of requests drawn from textbook distributions. */
export const syntheticWorkloadSchema = z.strictObject({
  kind: z.literal("synthetic"),
  arrivals: arrivalSchema,
  lengths: lengthSchema,
  ...limits,
});

/** Schema of requests replayed from a file. */
export const traceWorkloadSchema = z.strictObject({
  kind: z.literal("trace"),
  path: z.string().min(1).describe("CSV or JSON Lines file in a format that readTrace knows"),
  ratePerSecond,
  // The shares of spec/practice.md section 9 (learn on 70 %, report on the last 30 %), with a part
  // of the former's end set aside for choosing checkpoints.
  trainFraction: fraction.default(0.6).describe("Share of the duration to train on"),
  validationFraction: fraction.default(0.1).describe("Share to choose checkpoints on"),
  ...limits,
}).refine((config) => config.trainFraction + config.validationFraction <= 1, {
  message: "at most 1 together with validationFraction",
  path: ["trainFraction"],
});

/** Schema of any workload. The default of the project is `{ kind: "fitted" }`. */
export const workloadSchema = z.discriminatedUnion("kind", [
  fittedWorkloadSchema,
  syntheticWorkloadSchema,
  traceWorkloadSchema,
]);

/** Requests drawn from a trace's statistics. */
export type FittedWorkloadConfig = z.infer<typeof fittedWorkloadSchema>;
/** Requests drawn from textbook distributions. */
export type SyntheticWorkloadConfig = z.infer<typeof syntheticWorkloadSchema>;
/** Requests replayed from a file. */
export type TraceWorkloadConfig = z.infer<typeof traceWorkloadSchema>;
/** Any workload. */
export type WorkloadConfig = z.infer<typeof workloadSchema>;
