/**
 * Form of the files in `data/workloads`.
 *
 * @module
 */
import { z } from "zod";
import { fittedArrivalSchema } from "./arrivals.ts";
import { conversationSchema } from "./conversations.ts";
import { lengthTableSchema } from "./length_table.ts";

const statistics = z.record(z.string(), z.number());

/** Schema of {@linkcode FittedWorkload}. */
export const fittedWorkloadFileSchema = z.strictObject({
  name: z.string().min(1),
  source: z.string().min(1).describe("The trace, its address and its paper"),
  licence: z.string().min(1),
  method: z.string().min(1).describe("The command that makes the file"),
  arrivals: fittedArrivalSchema,
  trace: statistics.describe("Statistics of the trace"),
  simulated: statistics.describe("The same of requests drawn from the fit, mean over seeds"),
  lengths: lengthTableSchema,
  conversations: conversationSchema.optional(),
});

/** Statistics of a real trace from which similar requests are drawn, and where they come from. */
export type FittedWorkload = z.infer<typeof fittedWorkloadFileSchema>;
