/**
 * What a scenario states.
 *
 * @module
 */
import { z } from "zod";
import { clusterSchema, incidentPlanSchema } from "../simulator/mod.ts";
import { fittedWorkloadSchema } from "../workload/mod.ts";

/** Loads that policies are compared at, in percent of a scenario's capacity. */
export const scenarioLoads = [50, 75, 90] as const;

/** One of {@linkcode scenarioLoads}. */
export type ScenarioLoad = typeof scenarioLoads[number];

const seconds = z.number().positive().finite();

/** How the capacity of a scenario was found. */
const scenarioCapacitySchema = z.strictObject({
  ratePerSecond: z.number().positive().finite().describe("Highest rate that kept the objective"),
  router: z.string().min(1).describe("Who routed"),
  objective: z.strictObject({
    metric: z.literal("scheduling_delay"),
    quantile: z.number().gt(0).max(1),
    limitSeconds: seconds,
  }),
  requests: z.int().min(2).describe("Requests of a simulated run"),
  seeds: z.array(z.int().min(0)).min(1).describe("Arrival seeds of the runs, pooled"),
  command: z.string().min(1).describe("What finds it again"),
});

/** Schema of `data/scenarios/<name>.json`. */
export const scenarioSchema = z.strictObject({
  name: z.string().min(1),
  description: z.string().min(1).describe("One sentence for tables and pages"),
  cluster: clusterSchema,
  workload: fittedWorkloadSchema.omit({ ratePerSecond: true }).describe(
    "Requests and, as classes, what they are promised; their rate follows from the load",
  ),
  incidents: incidentPlanSchema.prefault({}),
  capacity: scenarioCapacitySchema,
});

/** A validated scenario. */
export type ScenarioDefinition = z.infer<typeof scenarioSchema>;

/** How the capacity of a scenario was found. */
export type ScenarioCapacity = z.infer<typeof scenarioCapacitySchema>;
