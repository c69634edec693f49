/**
 * Two aims against each other.
 *
 * @module
 */
import type { Interval } from "../stats/mod.ts";
import { placeLabels } from "./_place_labels.ts";
import { rounded } from "./_series.ts";
import { type Chart, makeChart } from "./chart.ts";

/** A policy's place between latency and first tokens. */
export interface TradeOffPoint {
  /** Policy. */
  readonly policy: string;
  /** Whether it belongs to the curve; others are drawn as marks beside it. */
  readonly isOnCurve: boolean;
  /** Mean end-to-end latency in seconds. */
  readonly e2eSeconds: Interval;
  /** Mean time to first token in seconds. */
  readonly ttftSeconds: Interval;
}

/**
 * Mean end-to-end latency against mean time to first token with the intervals of both, the policies
 * of the curve connected in their order. Down and to the left is better. Names of policies that are
 * close together are written apart, with a line to the point of each.
 *
 * @param points At least one; where they are crowded the first are named the closest.
 * @returns A chart with its data inside.
 *
 * @example
 * ```ts
 * import { renderSvg, tradeOff } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const around = (estimate: number) => ({ estimate, low: 0.9 * estimate, high: 1.1 * estimate });
 * const chart = tradeOff([
 *   { policy: "ppo", isOnCurve: true, e2eSeconds: around(5), ttftSeconds: around(0.6) },
 *   { policy: "ppo, early", isOnCurve: true, e2eSeconds: around(6), ttftSeconds: around(0.3) },
 * ]);
 * assert.match(await renderSvg(chart), /ppo, early/);
 * ```
 */
export function tradeOff(points: readonly TradeOffPoint[]): Chart {
  const ranges = rangesOf(points);
  const places = labelPlaces(points, ranges);
  const values = points.map(({ policy, isOnCurve, e2eSeconds: e2e, ttftSeconds: ttft }, order) => ({
    policy,
    order,
    kind: isOnCurve ? "trained" : "heuristic",
    e2e: rounded(e2e.estimate),
    ttft: rounded(ttft.estimate),
    ...places[order],
    ...(hasEnds(e2e) && hasEnds(ttft) && {
      e2eLow: rounded(e2e.low),
      e2eHigh: rounded(e2e.high),
      ttftLow: rounded(ttft.low),
      ttftHigh: rounded(ttft.high),
    }),
  }));
  const color = {
    field: "kind",
    type: "nominal",
    title: null,
    sort: ["trained", "heuristic"],
    legend: { orient: "bottom" },
  } as const;
  const scaleOf = ([low, high]: Range) => ({ zero: false, nice: false, domain: [low, high] });
  const x = {
    field: "e2e",
    type: "quantitative",
    title: "Mean E2E (s)",
    scale: scaleOf(ranges.x),
    axis: { grid: true },
  } as const;
  const y = {
    field: "ttft",
    type: "quantitative",
    title: "Mean TTFT (s)",
    scale: scaleOf(ranges.y),
  } as const;
  return makeChart({
    title: {
      text: "Latency against first tokens",
      subtitle: "Down and to the left is better. Coloured rules: bootstrap intervals.",
    },
    data: { values },
    width: WIDTH,
    height: HEIGHT,
    layer: [
      {
        transform: [{ filter: { field: "kind", equal: "trained" } }],
        mark: { type: "line", strokeDash: [4, 3] },
        encoding: { x, y, order: { field: "order", type: "quantitative" }, color },
      },
      {
        mark: { type: "rule", opacity: 0.5 },
        encoding: { x: { ...x, field: "e2eLow" }, x2: { field: "e2eHigh" }, y, color },
      },
      {
        mark: { type: "rule", opacity: 0.5 },
        encoding: { x, y: { ...y, field: "ttftLow" }, y2: { field: "ttftHigh" }, color },
      },
      {
        mark: { type: "rule", strokeWidth: 0.75, opacity: 0.6 },
        encoding: { x, x2: { field: "labelE2e" }, y, y2: { field: "labelTtft" } },
      },
      {
        mark: { type: "point", filled: true, size: 60, opacity: 1, tooltip: true },
        encoding: { x, y, color },
      },
      {
        mark: { type: "text", align: { expr: "datum.align" }, baseline: "middle", fontSize: 11 },
        encoding: {
          x: { ...x, field: "labelE2e" },
          y: { ...y, field: "labelTtft" },
          text: { field: "policy" },
        },
      },
    ],
  });
}

/** Size of the plot in pixels. */
const WIDTH = 640;
const HEIGHT = 380;

/** Ends of an axis. Vega-Lite would choose them, but labels are placed before it does. */
type Range = readonly [low: number, high: number];

interface Ranges {
  readonly x: Range;
  readonly y: Range;
}

function hasEnds({ low, high }: Interval): boolean {
  return Number.isFinite(low) && Number.isFinite(high);
}

/** Axes that hold all points and intervals with a margin. */
function rangesOf(points: readonly TradeOffPoint[]): Ranges {
  const rangeOf = (intervals: readonly Interval[]): Range => {
    const values = intervals.flatMap((interval) =>
      hasEnds(interval) ? [interval.low, interval.estimate, interval.high] : [interval.estimate]
    );
    const low = Math.min(...values);
    const high = Math.max(...values);
    const margin = 0.05 * (high - low) || 1;
    return [rounded(low - margin), rounded(high + margin)];
  };
  return {
    x: rangeOf(points.map(({ e2eSeconds }) => e2eSeconds)),
    y: rangeOf(points.map(({ ttftSeconds }) => ttftSeconds)),
  };
}

/** Where the labels go, in seconds of both axes. */
function labelPlaces(
  points: readonly TradeOffPoint[],
  { x: [left, right], y: [bottom, top] }: Ranges,
) {
  const places = placeLabels(
    points.map(({ policy, e2eSeconds, ttftSeconds }) => ({
      x: WIDTH * (e2eSeconds.estimate - left) / (right - left),
      y: HEIGHT * (top - ttftSeconds.estimate) / (top - bottom),
      label: policy,
    })),
    { width: WIDTH, height: HEIGHT },
  );
  return places.map(({ x, y, align }) => ({
    labelE2e: rounded(left + (right - left) * x / WIDTH),
    labelTtft: rounded(top - (top - bottom) * y / HEIGHT),
    align,
  }));
}
