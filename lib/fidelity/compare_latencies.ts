/**
 * How far a simulation is off.
 *
 * @module
 */
import { mean, quantile } from "../stats/mod.ts";
import type { RequestLatencies } from "./engine_log.ts";

/** Latencies that are compared. */
export const latencyMetrics = ["ttft", "tpot", "e2e"] as const;

/** One statistic of one latency, over the requests. */
export interface LatencyComparison {
  /** The latency. */
  readonly metric: typeof latencyMetrics[number];
  /** The statistic. */
  readonly statistic: "mean" | "p50" | "p90" | "p99";
  /** Of the engine. */
  readonly measuredSeconds: number;
  /** Of the simulation. */
  readonly simulatedSeconds: number;
  /** `simulated / measured - 1`. */
  readonly relativeError: number;
}

const STATISTICS = {
  mean,
  p50: (values: Float64Array) => quantile(values, 0.5),
  p90: (values: Float64Array) => quantile(values, 0.9),
  p99: (values: Float64Array) => quantile(values, 0.99),
};

/**
 * Compares mean, median, 90th and 99th percentile of each latency. Requests without a time per
 * output token are left out of that latency on both sides.
 *
 * @throws {RangeError} When the numbers of requests differ, or no request has more than one token.
 *
 * @example
 * ```ts
 * import { compareLatencies } from "@signalbox/signalbox/fidelity";
 * import assert from "node:assert/strict";
 *
 * const measured = Float64Array.of(1, 3);
 * const simulated = Float64Array.of(1.5, 3.5);
 * const [ttftMean] = compareLatencies(
 *   { ttft: measured, tpot: measured, e2e: measured },
 *   { ttft: simulated, tpot: simulated, e2e: simulated },
 * );
 * assert.equal(ttftMean!.relativeError, 0.25);
 * ```
 */
export function compareLatencies(
  measured: RequestLatencies,
  simulated: RequestLatencies,
): LatencyComparison[] {
  return latencyMetrics.flatMap((metric) => {
    const counts = [measured[metric].length, simulated[metric].length];
    if (counts[0] !== counts[1]) {
      throw new RangeError(
        `Cannot compare latencies: ${metric} must have one row a request on both sides, current lengths are ${
          counts.join(", ")
        }`,
      );
    }
    const known = (values: Float64Array): Float64Array =>
      values.filter((_, i) =>
        !Number.isNaN(measured[metric][i]) && !Number.isNaN(simulated[metric][i])
      );
    const [real, ours] = [known(measured[metric]), known(simulated[metric])];
    return (Object.keys(STATISTICS) as (keyof typeof STATISTICS)[]).map((statistic) => {
      const measuredSeconds = STATISTICS[statistic](real);
      const simulatedSeconds = STATISTICS[statistic](ours);
      const relativeError = simulatedSeconds / measuredSeconds - 1;
      return { metric, statistic, measuredSeconds, simulatedSeconds, relativeError };
    });
  });
}
