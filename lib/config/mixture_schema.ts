/**
 * Training on several tasks in one run.
 *
 * @module
 */
import { z } from "zod";
import { clusterSchema, incidentPlanSchema } from "../simulator/mod.ts";
import { workloadSchema } from "../workload/mod.ts";

const scale = z.number().positive().finite();

/**
 * Tasks that the simulations of a run are dealt over; empty = the experiment's own, everywhere.
 * Clusters may differ in size where policy and normaliser share what they learn over replicas.
 * Drawing the load anew for each episode is domain randomisation (Tobin et al. 2017,
 * arXiv:1703.06907).
 */
export const mixtureSchema = z.array(z.strictObject({
  cluster: clusterSchema.nullable().default(null).describe("null = the experiment's cluster"),
  workload: workloadSchema.nullable().default(null).describe("null = the experiment's workload"),
  incidents: incidentPlanSchema.nullable().default(null).describe(
    "null = the experiment's incidents",
  ),
  weight: z.number().positive().finite().default(1).describe(
    "Share of training.environments, relative to the other entries'",
  ),
  rateScale: z.tuple([scale, scale]).refine(([low, high]) => low <= high, "low <= high")
    .default([1, 1]).describe(
      "Arrivals of an episode come at a multiple of the workload's rate drawn uniformly from here",
    ),
})).default([]);
