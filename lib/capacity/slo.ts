/**
 * What a cluster is asked to keep.
 *
 * @module
 */
import { z } from "zod";
import { measureSloAttainment } from "../metrics/mod.ts";
import type { RequestOutcomes, SimulationResult } from "../simulator/mod.ts";
import { quantile } from "../stats/mod.ts";
import { ConfigError } from "../support/mod.ts";
import type { Workload } from "../workload/mod.ts";

const latencyMetrics = ["scheduling_delay", "ttft", "tpot", "e2e"] as const;

/** What an objective may be about. */
export const sloMetrics = [...latencyMetrics, "slo_attainment"] as const;

/**
 * A service level objective: a quantile of a latency stays at or below a limit, or a share of
 * requests meets the latency targets that they have themselves.
 */
export const sloSchema = z.discriminatedUnion("metric", [
  z.strictObject({
    metric: z.enum(latencyMetrics).describe(
      "scheduling_delay: arrival to first batch; ttft: arrival to first token; tpot: time per " +
        "output token after the first; e2e: arrival to last token",
    ),
    // Vidur's objective: P99 of the scheduling delay, 5 s (spec/simulator.md section 12).
    quantile: z.number().gt(0).max(1).default(0.99),
    limitSeconds: z.number().positive().finite().default(5),
  }),
  z.strictObject({
    metric: z.literal("slo_attainment").describe(
      "Share of all requests that complete and exceed none of their own targets",
    ),
    minFraction: z.number().gt(0).max(1).default(0.9)
      .describe("Default: the goal of Zhong et al., DistServe, OSDI 2024."),
  }),
]);

/** Validated {@linkcode sloSchema}. */
export type Slo = z.infer<typeof sloSchema>;

/** An objective about a latency. */
type LatencySlo = Exclude<Slo, { metric: "slo_attainment" }>;

/** Whether a value of {@linkcode measureSlo} is within the limit. */
export function keepsSlo(slo: Slo, value: number): boolean {
  return slo.metric === "slo_attainment" ? value >= slo.minFraction : value <= slo.limitSeconds;
}

/**
 * The value that an objective limits. A request that did not finish counts as infinitely late and
 * misses its targets; one-token outputs have no time per output token and do not count for `tpot`.
 *
 * @param workload The requests that were fed.
 * @param run What came of them.
 * @returns Seconds, `Infinity` when too many requests did not finish; for `slo_attainment` a share.
 * @throws {RangeError} When no request counts.
 * @throws {ConfigError} When attainment is asked for and the requests have no targets.
 *
 * @example
 * ```ts
 * import { measureSlo } from "@signalbox/signalbox/capacity";
 * import { buildCluster, clusterSchema, Simulator } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const workload = {
 *   name: "two requests",
 *   count: 2,
 *   arrivalSeconds: Float64Array.of(0, 1),
 *   promptTokens: Int32Array.of(100, 100),
 *   outputTokens: Int32Array.of(10, 10),
 *   slos: { ttftSeconds: Float64Array.of(0.001, 1) },
 * };
 * const run = new Simulator(workload, buildCluster(clusterSchema.parse({}))).run(() => 0);
 * const slo = { metric: "scheduling_delay", quantile: 0.5, limitSeconds: 1 } as const;
 * assert.equal(measureSlo(workload, run, slo), 0);
 * assert.equal(measureSlo(workload, run, { metric: "slo_attainment", minFraction: 0.9 }), 0.5);
 * ```
 */
export function measureSlo(
  workload: Workload,
  { outcomes, endSeconds }: Pick<SimulationResult, "outcomes" | "endSeconds">,
  slo: Slo,
): number {
  if (slo.metric !== "slo_attainment") return latencyQuantile(workload, outcomes, slo);
  if (workload.slos === undefined) {
    const allowed = `one of ${latencyMetrics.join(", ")} for requests without latency targets`;
    throw new ConfigError("slo.metric", slo.metric, allowed);
  }
  return measureSloAttainment(workload, outcomes, workload.slos, endSeconds).allFraction;
}

function latencyQuantile(
  workload: Workload,
  outcomes: RequestOutcomes,
  slo: LatencySlo,
): number {
  const { arrivalSeconds, outputTokens, count } = workload;
  const { scheduledSeconds, firstTokenSeconds, completedSeconds } = outcomes;
  const finished: number[] = [];
  let counted = 0;
  for (let i = 0; i < count; i++) {
    if (slo.metric === "tpot" && outputTokens[i] === 1) continue;
    counted++;
    const seconds = latency(i);
    if (!Number.isNaN(seconds)) finished.push(seconds);
  }
  if (counted === 0) {
    throw new RangeError(
      `Cannot measure ${slo.metric}: the workload must have a request it applies to, current count is 0`,
    );
  }
  // Rank of the quantile among all, of whom the unfinished come last.
  const rank = (counted - 1) * slo.quantile;
  const last = finished.length - 1;
  if (Math.ceil(rank) > last) return Infinity;
  return quantile(finished, last === 0 ? 0 : rank / last);

  function latency(i: number): number {
    switch (slo.metric) {
      case "scheduling_delay":
        return scheduledSeconds[i]! - arrivalSeconds[i]!;
      case "ttft":
        return firstTokenSeconds[i]! - arrivalSeconds[i]!;
      case "tpot":
        return (completedSeconds[i]! - firstTokenSeconds[i]!) / (outputTokens[i]! - 1);
      case "e2e":
        return completedSeconds[i]! - arrivalSeconds[i]!;
    }
  }
}
