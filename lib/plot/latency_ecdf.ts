/**
 * Distribution of latencies.
 *
 * @module
 */
import type { Table } from "apache-arrow";
import { columnNumbers, columnStrings } from "../metrics/mod.ts";
import { empiricalCdf } from "../stats/mod.ts";
import { rounded } from "./_series.ts";
import { type Chart, makeChart } from "./chart.ts";
import { colorScale, DASH_LEGEND, dashScale } from "./theme.ts";

/** A column of `requests.parquet` that {@linkcode latencyEcdf} can draw. */
export type LatencyColumn =
  | "e2e_seconds"
  | "ttft_seconds"
  | "tpot_seconds"
  | "scheduling_delay_seconds";

/** How {@linkcode latencyEcdf} draws. */
export interface LatencyEcdfOptions {
  /** Column to draw; end-to-end latency by default. */
  readonly column?: LatencyColumn;
  /** Policies in order of colour; those of the table in order of appearance by default. */
  readonly policies?: readonly string[];
  /** Points a curve at most, an integer >= 2; 400 by default. */
  readonly maxPoints?: number;
}

/**
 * Empirical distribution function of a latency, one curve a policy, all its runs pooled; completed
 * requests only. The latency axis is logarithmic. A click on the legend picks a policy out.
 *
 * @param requests Table with the columns of {@linkcode requestsSchema}.
 * @param options Column, colours, density.
 * @returns A chart with its (thinned) data inside.
 * @throws {RangeError} When a policy has no value > 0.
 *
 * @example
 * ```ts
 * import { tableFromRows } from "@signalbox/signalbox/metrics";
 * import { latencyEcdf, renderSvg } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const requests = tableFromRows({ policy: "utf8", e2e_seconds: "float64?" }, [
 *   { policy: "random", e2e_seconds: 3.5 },
 *   { policy: "random", e2e_seconds: 4.5 },
 *   { policy: "random", e2e_seconds: null },
 * ]);
 * assert.match(await renderSvg(latencyEcdf(requests)), /End-to-end latency \(s\)/);
 * ```
 */
export function latencyEcdf(requests: Table, options: LatencyEcdfOptions = {}): Chart {
  const { column = "e2e_seconds", maxPoints = 400 } = options;
  const owners = columnStrings(requests, "policy").map(String);
  const policies = options.policies ?? [...new Set(owners)];
  const seconds = columnNumbers(requests, column);
  const values = policies.flatMap((policy) => {
    // A logarithmic axis has no zero: a request scheduled on arrival has a delay of 0.
    const own = seconds.filter((value, i) => owners[i] === policy && value > 0);
    const cdf = empiricalCdf(own, { maxPoints });
    return Array.from(cdf.values, (value, i) => ({
      policy,
      seconds: rounded(value),
      share: rounded(cdf.probabilities[i]!),
    }));
  });
  const isThinned = seconds.length > policies.length * maxPoints;
  return makeChart({
    title: {
      text: `${titleOf(column)}: distribution`,
      subtitle:
        "Share of the completed requests at or below a latency, all runs of a policy pooled.",
    },
    width: 620,
    height: 360,
    data: { values },
    layer: [
      {
        mark: { type: "rule", strokeDash: [2, 3], opacity: 0.6 },
        encoding: { y: { datum: 0.99, type: "quantitative" } },
      },
      {
        params: [{ name: "picked", select: { type: "point", fields: ["policy"] }, bind: "legend" }],
        // Steps, unless most of them were left out: then a slope is nearer to the truth.
        mark: { type: "line", interpolate: isThinned ? "linear" : "step-after", tooltip: true },
        encoding: {
          x: {
            field: "seconds",
            type: "quantitative",
            title: `${titleOf(column)} (s)`,
            scale: { type: "log", nice: false },
            axis: { format: "~g", grid: true, tickCount: 8 },
          },
          y: {
            field: "share",
            type: "quantitative",
            title: "Share of requests (dotted: 99 %)",
            scale: { domain: [0, 1] },
            axis: { format: "%" },
          },
          color: {
            field: "policy",
            type: "nominal",
            title: "Policy",
            legend: DASH_LEGEND,
            scale: colorScale(policies),
          },
          strokeDash: {
            field: "policy",
            type: "nominal",
            title: "Policy",
            legend: DASH_LEGEND,
            scale: dashScale(policies),
          },
          opacity: { condition: { param: "picked", value: 1 }, value: 0.12 },
        },
      },
    ],
  });
}

/** Title of the axis. */
function titleOf(column: LatencyColumn): string {
  switch (column) {
    case "e2e_seconds":
      return "End-to-end latency";
    case "ttft_seconds":
      return "Time to first token";
    case "tpot_seconds":
      return "Time per output token";
    case "scheduling_delay_seconds":
      return "Scheduling delay";
  }
}
