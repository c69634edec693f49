/**
 * Latency per policy in one glance.
 *
 * @module
 */
import type { PolicyComparison } from "../metrics/mod.ts";
import type { Interval } from "../stats/mod.ts";
import type { Panel } from "./_band_panel.ts";
import { rounded } from "./_series.ts";
import { type Chart, makeChart } from "./chart.ts";
import { colorScale } from "./theme.ts";

/** How {@linkcode latencyBars} draws. */
export interface LatencyBarsOptions {
  /** Policies in order of colour; those of the comparison by default. Bars are sorted by mean. */
  readonly policies?: readonly string[];
}

/**
 * Mean and 99th percentile of the end-to-end latency, one bar a policy, each with its bootstrap
 * interval. Policies are sorted by their mean, the fastest on top.
 *
 * @param comparisons What {@linkcode comparePolicies} returned.
 * @param options Colours.
 * @returns A chart with its data inside.
 * @throws {RangeError} When there is no comparison.
 *
 * @example
 * ```ts
 * import type { PolicyComparison } from "@signalbox/signalbox/metrics";
 * import { latencyBars, renderSvg } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const still = { estimate: 0, low: 0, high: 0 };
 * const seconds = { estimate: 5, low: 4.5, high: 5.6 };
 * const statistic = {
 *   confidence: 0.95,
 *   baseline: seconds,
 *   candidate: seconds,
 *   difference: still,
 *   relative: still,
 * };
 * const comparison: PolicyComparison = {
 *   policy: "least_outstanding",
 *   runCount: 1,
 *   e2eMean: statistic,
 *   e2eP99: statistic,
 *   e2eP50Seconds: 4,
 *   ttftMean: statistic,
 *   ttftP50Seconds: 0.1,
 *   ttftP99Seconds: 0.9,
 *   requestsPerSecond: 5,
 *   replicaShares: [1],
 *   latencyFairness: 1,
 *   sloFraction: null,
 *   goodputPerSecond: null,
 * };
 * assert.match(await renderSvg(latencyBars([comparison])), /least_outstanding/);
 * ```
 */
export function latencyBars(
  comparisons: readonly PolicyComparison[],
  options: LatencyBarsOptions = {},
): Chart {
  const policies = options.policies ?? comparisons.map((comparison) => comparison.policy);
  const sorted = [...comparisons].sort((a, b) =>
    a.e2eMean.candidate.estimate - b.e2eMean.candidate.estimate
  );
  const rowsOf = (statistic: string, of: (comparison: PolicyComparison) => Interval) =>
    sorted.map((comparison) => {
      const { estimate, low, high } = of(comparison);
      return {
        statistic,
        policy: comparison.policy,
        seconds: rounded(estimate),
        low: rounded(low),
        high: rounded(high),
        label: estimate.toPrecision(3),
      };
    });
  const order = sorted.map((comparison) => comparison.policy);
  const panel = (statistic: string, title: string, hasLabels: boolean): Panel => ({
    width: 300,
    height: { step: 26 },
    transform: [{ filter: { field: "statistic", equal: statistic } }],
    encoding: {
      y: {
        field: "policy",
        type: "nominal",
        sort: order,
        title: null,
        axis: hasLabels ? { labelLimit: 220, labelFontSize: 12 } : { labels: false },
      },
    },
    layer: [
      {
        mark: { type: "bar", height: { band: 0.68 }, opacity: 0.8, tooltip: true },
        encoding: {
          x: { field: "seconds", type: "quantitative", title, axis: { grid: true, tickCount: 5 } },
          color: {
            field: "policy",
            type: "nominal",
            legend: null,
            scale: colorScale(policies),
          },
        },
      },
      {
        mark: { type: "rule", style: "whisker" },
        encoding: { x: { field: "low", type: "quantitative" }, x2: { field: "high" } },
      },
      ...(["low", "high"] as const).map((end) => ({
        mark: { type: "tick" as const, size: 9, thickness: 1.5, style: "whisker" },
        encoding: { x: { field: end, type: "quantitative" as const } },
      })),
      {
        mark: { type: "text", align: "left", dx: 7, fontSize: 11 },
        encoding: {
          x: { field: "high", type: "quantitative" },
          text: { field: "label" },
        },
      },
    ],
  });
  const confidence = requireFirst(sorted).e2eMean.confidence;
  return makeChart({
    title: {
      text: "End-to-end latency",
      subtitle: `Whiskers: ${rounded(100 * confidence)} % block bootstrap intervals.`,
    },
    data: {
      values: [
        ...rowsOf("mean", (comparison) => comparison.e2eMean.candidate),
        ...rowsOf("p99", (comparison) => comparison.e2eP99.candidate),
      ],
    },
    spacing: 28,
    hconcat: [panel("mean", "Mean (s)", true), panel("p99", "99th percentile (s)", false)],
  });
}

function requireFirst(comparisons: readonly PolicyComparison[]): PolicyComparison {
  const [first] = comparisons;
  if (first === undefined) {
    throw new RangeError(
      "Cannot draw latencies: comparisons must hold at least one policy, current length is 0",
    );
  }
  return first;
}
