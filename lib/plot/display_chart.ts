/**
 * Charts in Jupyter notebooks.
 *
 * @module
 */
import { type Broadcast, kernelBroadcast } from "./broadcast.ts";
import type { Chart } from "./chart.ts";
import { renderSvg } from "./render.ts";

/** Small messages after a chart, and the pause before each of them in milliseconds. */
const PUSHES = 5;
const PUSH_PAUSE_MS = 10;

/**
 * Shows a chart in the output of a notebook cell: interactive where the front end knows Vega-Lite
 * (JupyterLab, VS Code), an image elsewhere (GitHub, nbconvert).
 *
 * The kernel of Deno 2.9 writes of a large message what the socket takes at once and the rest only
 * when it sends again, or never (github.com/zeromq/zmq.rs/issues/237): a chart that is the value of
 * a cell is lost now and then. So a few small messages that change nothing (the kernel is busy, as
 * it is) are sent after the chart before the cell ends.
 *
 * @param chart Vega-Lite specification with its data inside.
 * @param broadcast Takes the messages; the kernel of the notebook by default.
 *
 * @example The last line of a cell, here with a kernel that only collects
 * ```ts
 * import { displayChart, makeChart } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const chart = makeChart({ data: { values: [{ x: 1 }] }, mark: "point", encoding: {} });
 * const types = new Set<string>();
 * await displayChart(chart, (type) => Promise.resolve(void types.add(type)));
 * assert.deepEqual([...types], ["display_data", "status"]);
 * ```
 */
export async function displayChart(
  chart: Chart,
  broadcast: Broadcast = kernelBroadcast,
): Promise<void> {
  await broadcast("display_data", {
    data: {
      "application/vnd.vegalite.v5+json": chart,
      "image/svg+xml": await renderSvg(chart),
      "text/plain": "Vega-Lite chart",
    },
    metadata: {},
    transient: {},
  });
  for (let push = 0; push < PUSHES; push++) {
    await new Promise((resolve) => setTimeout(resolve, PUSH_PAUSE_MS));
    await broadcast("status", { "execution_state": "busy" });
  }
}
