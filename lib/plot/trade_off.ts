/**
 * Two aims against each other.
 *
 * @module
 */
import type { Interval } from "../stats/mod.ts";
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
 * of the curve connected in their order. Down and to the left is better.
 *
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
  const values = points.map(({ policy, isOnCurve, e2eSeconds: e2e, ttftSeconds: ttft }, order) => ({
    policy,
    order,
    kind: isOnCurve ? "trained" : "heuristic",
    e2e: rounded(e2e.estimate),
    ttft: rounded(ttft.estimate),
    ...(Number.isFinite(e2e.low + e2e.high + ttft.low + ttft.high) && {
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
  const scale = { zero: false } as const;
  const axis = { grid: true } as const;
  const x = { field: "e2e", type: "quantitative", title: "Mean E2E (s)", scale, axis } as const;
  const y = { field: "ttft", type: "quantitative", title: "Mean TTFT (s)", scale } as const;
  return makeChart({
    title: {
      text: "Latency against first tokens",
      subtitle: "Down and to the left is better. Rules: bootstrap intervals.",
    },
    data: { values },
    width: 560,
    height: 340,
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
        mark: { type: "point", filled: true, size: 60, opacity: 1, tooltip: true },
        encoding: { x, y, color },
      },
      {
        mark: { type: "text", align: "left", dx: 7, dy: -7, fontSize: 11 },
        encoding: { x, y, text: { field: "policy" } },
      },
    ],
  });
}
