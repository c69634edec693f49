/**
 * Charts in Jupyter notebooks.
 *
 * @module
 */
import type { Chart } from "./chart.ts";
import { renderSvg } from "./render.ts";

/** What Deno's Jupyter kernel looks for on the last value of a cell. */
export interface Displayable {
  /** Called by the kernel; returns one representation a MIME type. */
  [key: symbol]: () => Promise<Record<string, unknown>>;
}

/**
 * Makes a chart the output of a notebook cell: interactive where the front end knows Vega-Lite
 * (JupyterLab, VS Code), an image elsewhere (GitHub, nbconvert).
 *
 * The kernel would pick a MIME type by `$schema` itself, but only for exact version addresses, so
 * the bundle is made here: `application/vnd.vegalite.v5+json` and `image/svg+xml`. A PNG as well would
 * double the message, and the kernel (Deno 2.9) now and then loses outputs of several hundred kB.
 *
 * @param chart Vega-Lite specification with its data inside.
 * @returns An object that the kernel displays when it is the value of a cell.
 *
 * @example The last line of a cell
 * ```ts
 * import { displayChart, makeChart } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const chart = makeChart({ data: { values: [{ x: 1 }] }, mark: "point", encoding: {} });
 * const output = displayChart(chart);
 * const bundle = await output[Symbol.for("Jupyter.display")]!();
 * assert.deepEqual(bundle["application/vnd.vegalite.v5+json"], chart);
 * ```
 */
export function displayChart(chart: Chart): Displayable {
  return {
    [Symbol.for("Jupyter.display")]: async () => ({
      "application/vnd.vegalite.v5+json": chart,
      "image/svg+xml": await renderSvg(chart),
      "text/plain": "Vega-Lite chart",
    }),
  };
}
