/**
 * How fast policies learn, on arrivals held out from training.
 *
 * @module
 */
import { bandChart } from "./_band_panel.ts";
import { bandOverSeeds } from "./_series.ts";
import type { Chart } from "./chart.ts";

/** What {@linkcode validationCurves} draws against. */
export type ValidationAxis = "decisions" | "seconds";

/** A validation of a policy under training. */
export interface ValidationPoint {
  /** Panel, e.g. a scenario. */
  readonly panel: string;
  /** Curve, e.g. a load; its seeds are averaged. */
  readonly series: string;
  /** Training seed. */
  readonly seed: number;
  /** Decisions or wall-clock seconds so far. */
  readonly x: number;
  /** Mean end-to-end latency of the validation arrivals in seconds. */
  readonly e2eMeanSeconds: number;
}

const AXIS_TITLES: Readonly<Record<ValidationAxis, string>> = {
  decisions: "Routing decisions",
  seconds: "Wall-clock seconds on one core",
};

/**
 * Mean latency on validation arrivals against decisions or time, a panel a scenario.
 *
 * @param points In the order of panels and curves.
 * @param axis What their `x` is.
 * @returns A chart with its data inside.
 *
 * @example
 * ```ts
 * import { renderSvg, validationCurves } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const points = [1, 2].flatMap((seed) =>
 *   [0, 1000, 2000].map((x) => ({
 *     panel: "mixed",
 *     series: "75 %",
 *     seed,
 *     x,
 *     e2eMeanSeconds: 9 - x / 1000 + seed / 10,
 *   }))
 * );
 * assert.match(await renderSvg(validationCurves(points, "decisions")), /Routing decisions/);
 * ```
 */
export function validationCurves(points: readonly ValidationPoint[], axis: ValidationAxis): Chart {
  const groups = [...new Set(points.map(({ series }) => series))];
  const panels = [...new Set(points.map(({ panel }) => panel))];
  const values = panels.flatMap((panel) => {
    const own = points.filter((point) => point.panel === panel)
      .map(({ series, seed, x, e2eMeanSeconds }) => ({ series, seed, x, y: e2eMeanSeconds }));
    return bandOverSeeds(own, 40).map((point) => ({ panel, ...point }));
  });
  return bandChart(
    values,
    panels.map((panel) => ({
      panel,
      title: panel,
      xTitle: AXIS_TITLES[axis],
      yTitle: "Mean E2E (s)",
      groups,
      groupTitle: "Load",
    })),
    { title: "Learning on validation arrivals", seeds: points.map(({ seed }) => seed) },
  );
}
