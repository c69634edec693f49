/**
 * What the chart functions return.
 *
 * @module
 */
import type { TopLevelSpec } from "vega-lite";
import { chartTheme, PRINT_INK } from "./theme.ts";

/** A complete Vega-Lite specification with its data inside. */
export type Chart = TopLevelSpec;

/**
 * Version 5 of the grammar: the charts use nothing newer, and it is the version that JupyterLab,
 * VS Code and Deno's Jupyter kernel recognise.
 */
const VEGA_LITE_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json";

/**
 * Completes a specification with the schema address and the project's theme for files.
 *
 * @param spec Vega-Lite specification without `$schema` and `config`.
 * @returns A new specification.
 *
 * @example A chart of one's own in the common look
 * ```ts
 * import { makeChart, renderSvg } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const chart = makeChart({
 *   data: { values: [{ load: 0.5, seconds: 4.2 }, { load: 0.9, seconds: 9.1 }] },
 *   mark: "point",
 *   encoding: {
 *     x: { field: "load", type: "quantitative", title: "Load" },
 *     y: { field: "seconds", type: "quantitative", title: "Mean latency (s)" },
 *   },
 * });
 * assert.match(await renderSvg(chart), /Mean latency \(s\)/);
 * ```
 */
export function makeChart(spec: Chart): Chart {
  return { $schema: VEGA_LITE_SCHEMA, ...spec, config: chartTheme(PRINT_INK) };
}
