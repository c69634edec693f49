/**
 * Latency against rate, per cluster.
 *
 * @module
 */
import { type Chart, makeChart } from "../plot/mod.ts";
import type { CapacityRow } from "./compare_capacity.ts";
import type { Slo } from "./slo.ts";

/**
 * Draws every probe of every candidate, joined in order of rate, with the limit as a rule. Latencies
 * far above the limit are cut off at ten times the limit.
 *
 * @throws {RangeError} When there is no row.
 */
export function capacityChart(rows: readonly CapacityRow[], slo: Slo): Chart {
  if (rows.length === 0) {
    throw new RangeError("Cannot draw capacities: rows must hold at least one, current count is 0");
  }
  const { limit, ceiling, label, subtitle } = describeSlo(slo);
  const values = rows.flatMap(({ name, search }) =>
    search.probes.map(({ ratePerSecond, value, meetsSlo }) => ({
      cluster: name,
      rate: ratePerSecond,
      value: Math.min(value, ceiling),
      meets: meetsSlo ? "within" : "beyond",
    }))
  );
  const x = { field: "rate", type: "quantitative", title: "Requests per second" } as const;
  const y = { field: "value", type: "quantitative", title: label } as const;
  const color = { field: "cluster", type: "nominal", title: "Cluster" } as const;
  return makeChart({
    title: { text: "Capacity", subtitle },
    width: 480,
    height: 300,
    data: { values },
    layer: [
      { mark: { type: "line" }, encoding: { x, y, color } },
      {
        mark: { type: "point", filled: true },
        encoding: { x, y, color, shape: { field: "meets", type: "nominal", title: "Objective" } },
      },
      { mark: { type: "rule", strokeDash: [4, 4] }, encoding: { y: { datum: limit } } },
    ],
  });
}

/** Where the rule is drawn, where values are cut off, and what is said about both. */
function describeSlo(
  slo: Slo,
): { limit: number; ceiling: number; label: string; subtitle: string } {
  if (slo.metric === "slo_attainment") {
    const { minFraction } = slo;
    return {
      limit: minFraction,
      ceiling: 1,
      label: "Share of requests that meet their targets",
      subtitle: `Limit: ${minFraction}.`,
    };
  }
  const ceiling = 10 * slo.limitSeconds;
  return {
    limit: slo.limitSeconds,
    ceiling,
    label: `${slo.metric}, quantile ${slo.quantile} (s)`,
    subtitle: `Limit: ${slo.limitSeconds} s; cut off at ${ceiling} s.`,
  };
}
