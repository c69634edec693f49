/**
 * What a cluster is asked to keep.
 *
 * @module
 */
import { z } from "zod";
import type { RequestOutcomes } from "../simulator/mod.ts";
import { quantile } from "../stats/mod.ts";
import type { Workload } from "../workload/mod.ts";

/** Latencies that an objective may be about. */
export const sloMetrics = ["scheduling_delay", "ttft", "tpot", "e2e"] as const;

/** A service level objective: a quantile of a latency stays at or below a limit. */
export const sloSchema = z.strictObject({
  metric: z.enum(sloMetrics).default("scheduling_delay").describe(
    "scheduling_delay: arrival to first batch; ttft: arrival to first token; tpot: time per output " +
      "token after the first; e2e: arrival to last token",
  ),
  // Vidur's objective: P99 of the scheduling delay, 5 s (spec/simulator.md section 12).
  quantile: z.number().gt(0).max(1).default(0.99),
  limitSeconds: z.number().positive().finite().default(5),
});

/** Validated {@linkcode sloSchema}. */
export type Slo = z.infer<typeof sloSchema>;

/**
 * The value that an objective limits. A request that did not finish counts as infinitely late;
 * one-token outputs have no time per output token and do not count for `tpot`.
 *
 * @returns Seconds, `Infinity` when too many requests did not finish.
 * @throws {RangeError} When no request counts.
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
 * };
 * const { outcomes } = new Simulator(workload, buildCluster(clusterSchema.parse({}))).run(() => 0);
 * const slo = { metric: "scheduling_delay", quantile: 0.5, limitSeconds: 1 } as const;
 * assert.equal(measureSlo(workload, outcomes, slo), 0);
 * ```
 */
export function measureSlo(workload: Workload, outcomes: RequestOutcomes, slo: Slo): number {
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
