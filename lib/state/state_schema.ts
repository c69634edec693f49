/**
 * Configuration of what the agent sees.
 *
 * @module
 */
import { z } from "zod";
import { systemMetricsSchema } from "../metrics/mod.ts";

/** Configuration of {@linkcode StateBuilder}. */
export const stateSchema = z.strictObject({
  layout: z.enum(["vidurrl", "signalbox"]).default("vidurrl").describe(
    "vidurrl: the document's layout, exactly (spec/scheduler.md section 5); signalbox: the richer " +
      "layout of its appendix A3, with the request to be routed and running work in it",
  ),
  enhancedFeatures: z.boolean().default(true).describe(
    "vidurrl only: the 8 history features per replica and 7 global ones; document default",
  ),
  maxQueueRequests: z.int().min(0).max(64).default(4).describe(
    "vidurrl only: K, requests described per replica, from the head of its queue; document default",
  ),
  historyWindow: z.int().min(1).max(1024).default(5).describe(
    "vidurrl only: decisions in the replica history; document default",
  ),
  qpsWindow: z.int().min(1).max(1024).default(10).describe(
    "vidurrl only: decisions in the global history; document default",
  ),
  queueDelayFeatures: z.boolean().default(false).describe(
    "vidurrl only: 3 more base features per replica, about how long requests have waited, as a later " +
      "revision of the original code has them (section 5.1); the document has none",
  ),
  queueDelayMaxWaitSeconds: z.number().positive().finite().default(10).describe(
    "with queueDelayFeatures: waiting times from this on read as 1; section 5.1",
  ),
  replicaEmaSeconds: z.number().positive().finite().default(30).describe(
    "signalbox only: time constant of a replica's latency and TTFT averages (section 5.6)",
  ),
  decodeLengths: z.enum(["hidden", "predicted", "true"]).default("hidden").describe(
    "What the agent sees of output lengths: nothing, a noisy prediction, or the truth, which the " +
      "document's layout contains but no real router knows",
  ),
  predictionNoise: z.number().nonnegative().finite().default(0.5).describe(
    "decodeLengths predicted only: standard deviation of the log of prediction / truth. 0.5 puts " +
      "two predictions in three within a factor of 1.65",
  ),
  loadCounts: z.enum(["outstanding", "waiting"]).default("outstanding").describe(
    "Requests that policy.loadResidualSlope counts; waiting, for ablations: as the original's " +
      "least-outstanding-requests, which does not count those being served (section 2)",
  ),
  criticSeesOutputTokens: z.boolean().default(false).describe(
    "signalbox only: columns with true output lengths for the value function, which the policy " +
      "never reads. They only lower the variance of advantages: a request's length does not depend " +
      "on where it went, and is known by the time its decision is trained on (spec/practice.md " +
      "section 9). In force for a replica_scorer with sharedEncoder false; an experiment with " +
      "another policy, which could not keep them apart, makes it false",
  ),
  metrics: systemMetricsSchema,
});

/** Typed form of {@linkcode stateSchema}. */
export type StateConfig = z.infer<typeof stateSchema>;
