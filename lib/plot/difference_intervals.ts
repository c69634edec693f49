/**
 * Who beats whom, and by how much.
 *
 * @module
 */
import type { Interval } from "../stats/mod.ts";
import type { Panel } from "./_band_panel.ts";
import { rounded } from "./_series.ts";
import { type Chart, makeChart } from "./chart.ts";
import { colorScale } from "./theme.ts";

/** One far baseline must not squeeze the others: what lies beyond is drawn at the end. */
const SCALE = { domain: [-1, 1], clamp: true };

const AXIS = { format: "+%", grid: true, tickCount: 4 };

/** A difference of one policy to one baseline. */
export interface PolicyDifference {
  /** Policy. */
  readonly policy: string;
  /** What it is compared with, or where: one row each. */
  readonly baseline: string;
  /** What is compared, e.g. `"mean E2E"`: one panel each. */
  readonly statistic: string;
  /** Policy / baseline - 1; ends that are unknown leave the row without an interval. */
  readonly relative: Interval;
}

/** How {@linkcode differenceIntervals} draws. */
export interface DifferenceIntervalsOptions {
  /** Title; says by default that these are baselines. */
  readonly title?: string;
}

/**
 * Relative differences with their intervals, a row a baseline and a panel a statistic; left of 0 the
 * policy is faster.
 *
 * @param differences In order from top to bottom.
 * @param options Title.
 * @returns A chart with its data inside.
 * @throws {RangeError} When there is no difference.
 *
 * @example
 * ```ts
 * import { differenceIntervals, renderSvg } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const chart = differenceIntervals([{
 *   policy: "ppo",
 *   baseline: "least_outstanding",
 *   statistic: "mean E2E",
 *   relative: { estimate: -0.2, low: -0.3, high: -0.1 },
 * }]);
 * assert.match(await renderSvg(chart), /least_outstanding/);
 * ```
 */
export function differenceIntervals(
  differences: readonly PolicyDifference[],
  options: DifferenceIntervalsOptions = {},
): Chart {
  if (differences.length === 0) {
    throw new RangeError(
      "Cannot draw differences: differences must hold at least one, current length is 0",
    );
  }
  const statistics = [...new Set(differences.map((entry) => entry.statistic))];
  const baselines = [...new Set(differences.map((entry) => entry.baseline))];
  const policies = [...new Set(differences.map((entry) => entry.policy))];
  const values = differences.map(({ policy, baseline, statistic, relative }) => ({
    policy,
    baseline,
    statistic,
    estimate: rounded(relative.estimate),
    ...(Number.isFinite(relative.low + relative.high) &&
      { low: rounded(relative.low), high: rounded(relative.high) }),
  }));
  const color = {
    field: "policy",
    type: "nominal",
    title: "Policy",
    scale: colorScale(policies),
    legend: policies.length > 1 ? { orient: "bottom" } : null,
  } as const;
  const panel = (statistic: string, hasLabels: boolean): Panel => {
    const y = {
      field: "baseline",
      type: "nominal",
      sort: baselines,
      title: null,
      axis: hasLabels ? { labelLimit: 220, labelFontSize: 12 } : { labels: false },
    } as const;
    const place = { y, yOffset: { field: "policy", sort: policies } };
    const position = { type: "quantitative", title: statistic, axis: AXIS, scale: SCALE } as const;
    return {
      width: 230,
      height: { step: 14 + 12 * policies.length, for: "position" },
      transform: [{ filter: { field: "statistic", equal: statistic } }],
      layer: [
        {
          mark: { type: "rule", strokeDash: [3, 3] },
          encoding: { x: { datum: 0, ...position } },
        },
        {
          mark: { type: "rule", strokeWidth: 2 },
          encoding: { ...place, x: { field: "low", ...position }, x2: { field: "high" }, color },
        },
        {
          mark: { type: "point", filled: true, size: 55, opacity: 1, tooltip: true },
          encoding: { ...place, x: { field: "estimate", ...position }, color },
        },
      ],
    };
  };
  return makeChart({
    title: {
      text: options.title ??
        (policies.length > 1 ? "Against each baseline" : `${policies[0]} against each baseline`),
      subtitle: "Relative difference with its interval; left of 0 the policy is faster.",
    },
    data: { values },
    spacing: 22,
    hconcat: statistics.map((statistic, index) => panel(statistic, index === 0)),
  });
}
