import { type Chart, colorScale } from "./chart.ts";
import { DASH_LEGEND, DASHES, PALETTE } from "./theme.ts";

/** A view inside a concatenated chart. */
export type Panel = Extract<Chart, { concat: unknown }>["concat"][number];

/** What tells one band panel from another. */
export interface BandPanelOptions {
  /** Which rows of the chart's data (of {@linkcode BandPoint} plus a panel field) it shows. */
  readonly filter: { readonly field: string; readonly equal: string };
  /** Title above the panel. */
  readonly title?: string;
  /** Title of the y axis, with its unit. */
  readonly yTitle: string;
  /** Values of `series`, in order of colour. */
  readonly groups: readonly string[];
  /** Title of the legend. */
  readonly groupTitle: string;
  /** Size in pixels. */
  readonly size: { readonly width: number; readonly height: number };
}

/** Lines with bands over seeds, over routing decisions. */
export function bandPanel(options: BandPanelOptions): Panel {
  const { filter, title, yTitle, groups, groupTitle, size } = options;
  const colors = colorScale(groups, PALETTE);
  const color = {
    field: "series",
    type: "nominal",
    scale: colors,
    title: groupTitle,
    legend: DASH_LEGEND,
  } as const;
  const x = {
    field: "x",
    type: "quantitative",
    title: "Routing decisions",
    axis: { format: "~s", tickCount: 6 },
    scale: { nice: false },
  } as const;
  const scale = { zero: false } as const;
  return {
    ...size,
    ...(title === undefined ? {} : { title: { text: title, fontSize: 12, offset: 6 } }),
    transform: [{ filter: { field: filter.field, equal: filter.equal } }],
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
        mark: { type: "line", tooltip: true },
        encoding: {
          x,
          y: { field: "mean", type: "quantitative", title: yTitle, scale },
          color,
          strokeDash: {
            field: "series",
            type: "nominal",
            title: groupTitle,
            legend: DASH_LEGEND,
            scale: {
              domain: [...groups],
              range: groups.map((_, i) => [...DASHES[i % DASHES.length]!]),
            },
          },
        },
      },
    ],
  };
}
