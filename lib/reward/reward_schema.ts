/**
 * Configuration of what the agent is rewarded for.
 *
 * @module
 */
import { z } from "zod";
import { systemMetricsSchema } from "../metrics/mod.ts";

const weight = () => z.number().nonnegative().finite();

/** Configuration of {@linkcode RewardCalculator}. Defaults: spec/scheduler.md sections 0 and 3. */
export const rewardSchema = z.strictObject({
  mode: z.enum(["delta", "instant", "hybrid", "sojourn", "request"]).default("hybrid").describe(
    "delta, instant, hybrid: the document's, on system metrics; sojourn: minus the time that " +
      "requests spend in the system; request: each request's own outcome, credited to the " +
      "decision that routed it",
  ),
  metrics: systemMetricsSchema,
  latencyWeight: weight().default(1).describe("delta, instant: weight of latency"),
  utilizationRangeWeight: weight().default(0.1).describe(
    "delta, instant: weight of the largest minus the smallest share of KV blocks in use",
  ),
  loadBalanceWeight: weight().default(0.15).describe("weight of the load imbalance"),
  loadBalanceOn: z.enum(["outstanding", "waiting"]).default("outstanding").describe(
    "Requests that make up a replica's load. The document counts waiting ones; under continuous " +
      "batching these are nearly always none, so one waiting request anywhere reads as the " +
      "greatest imbalance. Outstanding adds those being served",
  ),
  loadBalanceMeasure: z.enum(["cv", "cvExp", "cvDamped"]).default("cv").describe(
    "cv: std / mean, the document's; cvExp: cv * e^cv, the original code's; cvDamped: " +
      "std / (mean + 1), which stays small while there are few requests",
  ),
  latencyThresholdSeconds: z.number().positive().finite().default(6).describe(
    "Latency above which the threshold and logistic penalties act",
  ),
  latencyPenaltyScale: weight().default(0.5).describe(
    "delta, instant: largest threshold penalty",
  ),
  throughputTarget: z.number().positive().finite().default(0.05).describe(
    "hybrid: requests per second that score 1; values below 0.1 count as 0.1",
  ),
  absoluteWeight: weight().default(0.8).describe("hybrid: weight of the absolute score"),
  deltaWeight: weight().default(0.2).describe("hybrid: weight of the delta score"),
  alpha: weight().default(0.1).describe("hybrid: weight of latency in the absolute score"),
  beta: weight().default(0.3).describe("hybrid: weight of throughput in the delta score"),
  gamma: weight().default(0.2).describe("hybrid: weight of latency in the delta score"),
  kappa: weight().default(0.05).describe("hybrid: largest logistic penalty"),
  sigma: z.number().positive().finite().default(2).describe(
    "hybrid: width of the logistic penalty in seconds",
  ),
  emaAlpha: z.number().gt(0).max(1).default(0.1).describe(
    "hybrid: weight of the newest decision in the running averages",
  ),
  loadStdWeight: weight().default(0).describe(
    "hybrid: weight of the standard deviation of the load; the document has no such term, the " +
      "original code adds it with weight 1 (later 2)",
  ),
  extremeImbalanceWeight: weight().default(0).describe(
    "hybrid: weight of the penalty when one replica has more than 0.8 of the load; the document has " +
      "no such term, a later revision of the original code adds it with weight 5",
  ),
  inefficiencyWeight: weight().default(0).describe(
    "hybrid: weight of the shortfall of throughput per latency below 0.8 of its target; the " +
      "document has no such term, a later revision of the code adds it with weight 5",
  ),
  overProvisionWeight: weight().default(0).describe(
    "hybrid: weight of the excess of throughput per latency above 1.5 of its target; the document " +
      "has no such term, a later revision of the code adds it with weight 0.1",
  ),
  actionBalanceWeight: weight().default(0).describe(
    "delta, instant, hybrid: weight of how evenly the last decisions were spread, from -1 to 1; the " +
      "document has no such term, a later revision of the code offers it with weight 0.1",
  ),
  actionBalanceWindow: z.int().min(10).max(10_000).default(50).describe(
    "decisions that this looks back on; spec/scheduler.md section 3",
  ),
  externalityWeight: weight().default(1).describe(
    "request: weight of the delay that a request causes others; 0 is selfish",
  ),
  occupancyWeight: weight().default(0).describe(
    "request: weight of the integral of the requests at the chosen replica over the request's own " +
      "stay there; spec/practice.md section 9 takes 0.03, with externalityWeight 0",
  ),
  ttftWeight: weight().default(0).describe(
    "request: weight of first tokens against latency: of the request's own TTFT and of the delay " +
      "that it causes the first tokens of others",
  ),
  ttftExternalityWeight: weight().default(1).describe(
    "request: weight of that delay against the own TTFT; 0 is selfish",
  ),
  squash: z.enum(["none", "tanh", "clip", "softlog"]).default("none").describe(
    "How the sum is bounded: not at all (document), or as one of three revisions of the code",
  ),
});

/** Typed form of {@linkcode rewardSchema}. */
export type RewardConfig = z.infer<typeof rewardSchema>;

/** How rewards come about. */
export type RewardMode = RewardConfig["mode"];
