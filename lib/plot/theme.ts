/**
 * One look for all charts.
 *
 * @module
 */
import type { Config } from "vega-lite";

/**
 * Ten colours that stay apart under the common colour-vision deficiencies and in grey print.
 *
 * Source: M. A. Petroff, "Accessible Color Sequences for Data Visualization" (2021),
 * arXiv:2107.02270, the ten-colour sequence.
 */
export const PALETTE: readonly string[] = [
  "#3f90da",
  "#ffa90e",
  "#bd1f01",
  "#94a4a2",
  "#832db6",
  "#a96b59",
  "#e76300",
  "#b9ac70",
  "#717581",
  "#92dadd",
];

/** Dash patterns that go with the colours: solid, then ever more broken. */
const DASHES: readonly (readonly number[])[] = [[1, 0], [6, 2], [2, 2], [8, 2, 2, 2]];

/** Fonts in order of preference; the first is the one that PNG files are drawn with. */
const FONT_FAMILY = "Inter, 'Helvetica Neue', Arial, sans-serif";

/** Legend entries long enough to show a dash pattern, and as strong as the line. */
export const DASH_LEGEND = { symbolSize: 500, symbolType: "stroke", symbolOpacity: 1 } as const;

/** Colours of everything but the data. */
export interface Ink {
  /** Text. */
  readonly text: string;
  /** Axis lines, ticks and, fainter, the grid. */
  readonly line: string;
  /** Behind the chart. */
  readonly background: string;
}

/** Dark on white, for files: they end up in papers and slides. */
export const PRINT_INK: Ink = { text: "#1f2933", line: "#52606d", background: "#ffffff" };

/** The colour of the page's text: a chart inside a page follows its light or dark mode. */
export const PAGE_INK: Ink = {
  text: "currentColor",
  line: "currentColor",
  background: "transparent",
};

/**
 * The Vega-Lite configuration of every chart.
 *
 * @param ink Colours of text and lines.
 * @returns A new object.
 *
 * @example
 * ```ts
 * import { chartTheme, PRINT_INK } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * assert.equal(chartTheme(PRINT_INK).background, "#ffffff");
 * ```
 */
export function chartTheme(ink: Ink): Config {
  const label = { labelColor: ink.text, labelFontSize: 11, labelOpacity: 0.85 };
  const title = { titleColor: ink.text, titleFontSize: 12, titleFontWeight: 600 as const };
  return {
    background: ink.background,
    font: FONT_FAMILY,
    padding: 12,
    view: { stroke: null, continuousWidth: 560, continuousHeight: 300 },
    title: {
      anchor: "start",
      frame: "group",
      color: ink.text,
      fontSize: 15,
      fontWeight: 600,
      subtitleColor: ink.text,
      subtitleFontSize: 12,
      subtitlePadding: 6,
      offset: 14,
    },
    axis: {
      ...label,
      ...title,
      titlePadding: 8,
      labelPadding: 5,
      labelFlush: false,
      gridColor: ink.line,
      gridOpacity: 0.16,
      domainColor: ink.line,
      domainOpacity: 0.55,
      tickColor: ink.line,
      tickOpacity: 0.55,
      tickSize: 4,
    },
    axisX: { grid: false },
    axisY: { domain: false, ticks: false },
    legend: { ...label, ...title, labelLimit: 260, symbolStrokeWidth: 2.5, symbolSize: 110 },
    header: { ...label, ...title, labelFontSize: 12, labelFontWeight: 600 },
    range: { category: [...PALETTE] },
    line: { strokeWidth: 2, strokeCap: "butt" },
    bar: { cornerRadiusEnd: 2 },
    rule: { color: ink.line },
    text: { color: ink.text },
    style: { whisker: { color: ink.text, strokeWidth: 1.5, opacity: 0.9 } },
  };
}

/** Black or white, whichever has the larger contrast on a colour (WCAG 2 relative luminance). */
export function textColorOn(color: string): "#000000" | "#ffffff" {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const channel = parseInt(color.slice(start, start + 2), 16) / 255;
    return channel <= 0.03928 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) ? "#000000" : "#ffffff";
}

/** A scale from groups to colours, by position: the same in every chart that has the same groups. */
export function colorScale(groups: readonly string[]): { domain: string[]; range: string[] } {
  return {
    domain: [...groups],
    range: groups.map((_, position) => PALETTE[position % PALETTE.length]!),
  };
}

/**
 * A scale from groups to dash patterns. When the colours start over the patterns are shifted, so
 * that forty groups have forty different lines.
 */
export function dashScale(groups: readonly string[]): { domain: string[]; range: number[][] } {
  const range = groups.map((_, position) => {
    const round = Math.floor(position / PALETTE.length);
    return [...DASHES[(position + round) % DASHES.length]!];
  });
  return { domain: [...groups], range };
}
