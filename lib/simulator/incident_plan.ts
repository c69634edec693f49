/**
 * Incidents as a scenario states them, before a run is known.
 *
 * @module
 */
import { z } from "zod";
import type { Rng } from "../random/mod.ts";
import type { ReplicaIncident } from "./incident.ts";

const fraction = z.number().min(0).max(1);

const when = {
  replica: z.int().min(0).describe("Index of the replica, before a shuffle"),
  atFraction: z.tuple([fraction, fraction]).refine(([low, high]) => low <= high, {
    message: "[low, high] with low <= high",
  }).describe("Drawn uniformly from this range; 0 is the start, 1 the last arrival of the run"),
};

/** Incidents of a run whose length is not known yet. */
export const incidentPlanSchema = z.strictObject({
  shuffleReplicas: z.boolean().default(false).describe(
    "Whether each run deals the replica indices anew, so that nobody can learn which one fails",
  ),
  events: z.array(z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("slowdown"),
      factor: z.number().positive().finite().describe("Duration of a stage, relative to normal"),
      ...when,
    }),
    z.strictObject({ kind: z.enum(["fail", "drain", "recover"]), ...when }),
  ])).default([]).describe("What happens to replicas; nothing by default"),
});

/** Validated {@linkcode incidentPlanSchema}. */
export type IncidentPlan = z.infer<typeof incidentPlanSchema>;

/**
 * The incidents of one run.
 *
 * @param plan What is to happen.
 * @param rng Draws the times and, if asked for, the order of the replicas.
 * @param run Seconds from 0 to the last arrival, and the replicas.
 * @returns Entries in the order of the plan.
 *
 * @example
 * ```ts
 * import { Rng } from "@signalbox/signalbox/random";
 * import { drawIncidents, incidentPlanSchema } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const plan = incidentPlanSchema.parse({
 *   events: [{ kind: "fail", replica: 1, atFraction: [0.5, 0.5] }],
 * });
 * const incidents = drawIncidents(plan, new Rng(1), { durationSeconds: 80, replicaCount: 4 });
 * assert.deepEqual(incidents, [{ kind: "fail", replica: 1, atSeconds: 40 }]);
 * ```
 */
export function drawIncidents(
  plan: IncidentPlan,
  rng: Rng,
  run: { readonly durationSeconds: number; readonly replicaCount: number },
): ReplicaIncident[] {
  const order = Array.from({ length: run.replicaCount }, (_, replica) => replica);
  if (plan.shuffleReplicas) rng.stream("replicas").shuffle(order);
  const times = rng.stream("times");
  return plan.events.map(({ atFraction: [low, high], replica, ...event }) => ({
    ...event,
    // An index that the cluster does not have is left to the simulator, which names it.
    replica: order[replica] ?? replica,
    atSeconds: run.durationSeconds * (low + (high - low) * times.uniform()),
  }));
}
