import type { BandPoint } from "./_series.ts";
import { type Chart, makeChart } from "./chart.ts";
import { colorScale, DASH_LEGEND, dashScale } from "./theme.ts";

/** A view inside a concatenated chart. */
export type Panel = Extract<Chart, { concat: unknown }>["concat"][number];

/** Curves with as many points or fewer get a dot on each: one point alone makes no line. */
const MAX_DOTTED_POINTS = 15;

/** A point of a band chart with the panel it belongs to. */
export interface PanelPoint extends BandPoint {
  /** Panel. */
  readonly panel: string;
}

/** What tells one band panel from another. */
export interface BandPanelOptions {
  /** Value of `panel` whose points it shows. */
  readonly panel: string;
  /** Title above the panel. */
  readonly title?: string;
  /** Title of the x axis; `"Routing decisions"` by default. */
  readonly xTitle?: string;
  /** Title of the y axis, with its unit. */
  readonly yTitle: string;
  /** Values of `series`, in order of colour; the legend shows those that have points. */
  readonly groups: readonly string[];
  /** Title of the legend. */
  readonly groupTitle: string;
}

/** What a chart of band panels says as a whole. */
export interface BandChartOptions {
  /** Title. */
  readonly title: string;
  /** Seeds of the points, repeated as may be. */
  readonly seeds: ArrayLike<number>;
  /** Panels side by side at most; 2 by default. */
  readonly columns?: number;
}

/** Band panels in rows. */
export function bandChart(
  points: readonly PanelPoint[],
  panels: readonly BandPanelOptions[],
  { title, seeds, columns = 2 }: BandChartOptions,
): Chart {
  return makeChart({
    title: { text: title, subtitle: bandSubtitle(seeds) },
    data: { values: [...points] },
    columns: Math.min(columns, panels.length),
    spacing: { row: 28, column: 40 },
    concat: panels.map((options) => bandPanel(points, options)),
  });
}

/** Lines with bands over seeds, over routing decisions or what `xTitle` says. */
function bandPanel(points: readonly PanelPoint[], options: BandPanelOptions): Panel {
  const { panel, title, xTitle = "Routing decisions", yTitle, groups, groupTitle } = options;
  const drawn = new Set(points.map((point) => point.series));
  const longest = Math.max(
    ...[...drawn].map((series) =>
      points.filter((point) => point.panel === panel && point.series === series).length
    ),
  );
  const legend = { ...DASH_LEGEND, values: groups.filter((group) => drawn.has(group)) };
  const grouped = { field: "series", type: "nominal", title: groupTitle, legend } as const;
  const color = { ...grouped, scale: colorScale(groups) };
  const x = {
    field: "x",
    type: "quantitative",
    title: xTitle,
    axis: { format: "~s", tickCount: 6 },
    scale: { nice: false },
  } as const;
  const scale = { zero: false } as const;
  return {
    width: 340,
    height: 200,
    ...(title === undefined ? {} : { title: { text: title, fontSize: 12, offset: 6 } }),
    transform: [{ filter: { field: "panel", equal: panel } }],
    layer: [
      {
        mark: { type: "area", opacity: 0.18 },
        encoding: {
          x,
          y: { field: "low", type: "quantitative", title: yTitle, scale },
          y2: { field: "high" },
          color,
        },
      },
      {
        mark: {
          type: "line",
          tooltip: true,
          ...(longest <= MAX_DOTTED_POINTS ? { point: { size: 24 } } : {}),
        },
        encoding: {
          x,
          y: { field: "mean", type: "quantitative", title: yTitle, scale },
          color,
          strokeDash: { ...grouped, scale: dashScale(groups) },
        },
      },
    ],
  };
}

/** What the lines and bands mean. */
function bandSubtitle(seeds: ArrayLike<number>): string {
  const count = new Set(Array.from(seeds)).size;
  return count > 1
    ? `Line: mean over ${count} seeds. Band: smallest to largest seed.`
    : "One seed.";
}
