/**
 * Charts as SVG and PNG, without a browser.
 *
 * @module
 */
import { Resvg } from "@resvg/resvg-js";
import stringify from "json-stringify-pretty-compact";
import * as vega from "vega";
import { compile } from "vega-lite";
import { writeFileAtomic } from "../support/mod.ts";
import { FONT_NAME, fontFiles, loadTextMeasure, type MeasureText } from "./_fonts.ts";
import type { Chart } from "./chart.ts";

/** Exports of `vega` that its type declarations leave out. */
interface UntypedVega {
  /** The hook for text measurement; without a canvas Vega would guess 0.8 em a character. */
  readonly textMetrics: { width: MeasureText };
  /** Restarts the numbering of clip paths: equal charts must give equal files. */
  resetSVGDefIds(): void;
}

/** Vega keeps its text measurement and numbering in globals: one chart at a time. */
let previous: Promise<unknown> = Promise.resolve();

/**
 * Draws a chart as SVG. Equal charts give equal text.
 *
 * @param chart Vega-Lite specification with its data inside.
 * @returns SVG text with real text elements (font Inter, with fallbacks).
 * @throws {Error} When Vega-Lite cannot compile the specification.
 *
 * @example
 * ```ts
 * import { makeChart, renderSvg } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const chart = makeChart({ data: { values: [{ x: 1 }] }, mark: "point", encoding: {} });
 * assert.match(await renderSvg(chart), /^<svg/);
 * ```
 */
export function renderSvg(chart: Chart): Promise<string> {
  const rendered = previous.then(() => drawSvg(chart));
  previous = rendered.catch(() => undefined);
  return rendered;
}

/** How {@linkcode renderPng} draws. */
export interface PngOptions {
  /** Pixels of the image per pixel of the chart, > 0; 2 by default, sharp on dense screens. */
  readonly scale?: number;
}

/**
 * Draws a chart as PNG, with the font that comes with the project, so that every machine draws the
 * same image.
 *
 * @param chart Vega-Lite specification with its data inside, or SVG text from {@linkcode renderSvg}.
 * @param options Resolution.
 * @returns The bytes of the PNG file.
 * @throws {RangeError} When the scale is not a number > 0.
 *
 * @example
 * ```ts
 * import { makeChart, renderPng } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const chart = makeChart({ data: { values: [{ x: 1 }] }, mark: "point", encoding: {} });
 * const png = await renderPng(chart);
 * assert.deepEqual([...png.slice(1, 4)], [0x50, 0x4e, 0x47]); // "PNG"
 * ```
 */
export async function renderPng(
  chart: Chart | string,
  options: PngOptions = {},
): Promise<Uint8Array> {
  const { scale = 2 } = options;
  if (!(scale > 0 && scale < Infinity)) {
    throw new RangeError(`Cannot draw chart: scale must be > 0, current value is ${scale}`);
  }
  const svg = typeof chart === "string" ? chart : await renderSvg(chart);
  const { regular, bold } = fontFiles();
  const image = new Resvg(svg, {
    fitTo: { mode: "zoom", value: scale },
    font: {
      fontFiles: [regular, bold],
      loadSystemFonts: false,
      defaultFontFamily: FONT_NAME,
    },
  });
  return image.render().asPng();
}

/**
 * Writes a chart as `<name>.vl.json`, `<name>.svg` and `<name>.png`.
 *
 * @param folder Folder, which must exist.
 * @param name File name without extension.
 * @param chart Vega-Lite specification with its data inside.
 *
 * @example
 * ```ts
 * import { makeChart, writeChart } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const folder = await Deno.makeTempDir();
 * const chart = makeChart({ data: { values: [{ x: 1 }] }, mark: "point", encoding: {} });
 * await writeChart(folder, "dot", chart);
 * assert.deepEqual(JSON.parse(await Deno.readTextFile(`${folder}/dot.vl.json`)), chart);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function writeChart(folder: string, name: string, chart: Chart): Promise<void> {
  const svg = await renderSvg(chart);
  const png = await renderPng(svg);
  await writeFileAtomic(`${folder}/${name}.vl.json`, `${stringify(chart, { maxLength: 160 })}\n`);
  await writeFileAtomic(`${folder}/${name}.svg`, svg);
  await writeFileAtomic(`${folder}/${name}.png`, png);
}

/** Compiles and draws with our text measurement. */
async function drawSvg(chart: Chart): Promise<string> {
  const { textMetrics, resetSVGDefIds } = vega as unknown as UntypedVega;
  textMetrics.width = await loadedMeasure();
  resetSVGDefIds();
  // Warnings of the compiler concern the specification's author; the library itself never prints.
  // Vega tags the rows it reads: it gets a copy.
  const { spec } = compile(structuredClone(chart), { logger: vega.logger(vega.None) });
  const view = new vega.View(vega.parse(spec), { renderer: "none", logLevel: vega.Error });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

let measure: Promise<MeasureText> | undefined;

/** The fonts are loaded once. */
function loadedMeasure(): Promise<MeasureText> {
  return measure ??= loadTextMeasure();
}
