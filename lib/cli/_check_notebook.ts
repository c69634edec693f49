/** The parts of the Jupyter notebook format (nbformat 4) that the check reads. */
export interface Notebook {
  /** Cells in order. */
  readonly cells: readonly {
    readonly cell_type: string;
    readonly metadata: { readonly tags?: readonly string[] };
    readonly outputs?: readonly {
      readonly output_type: string;
      readonly ename?: string;
      readonly evalue?: string;
      readonly data?: Readonly<Record<string, unknown>>;
    }[];
  }[];
}

/** A cell that should show a chart ran, but shows none. */
export class MissingChartError extends Error {
  /** Class name, as printed. */
  override readonly name = "MissingChartError";
}

const VEGA_LITE = "application/vnd.vegalite.v5+json";
const FALLBACKS = ["image/svg+xml", "image/png"];

/**
 * Checks an executed notebook: no cell failed, and every cell tagged `chart` shows a Vega-Lite
 * chart together with a static image for viewers that cannot render it.
 *
 * @returns How many code cells and charts there are.
 * @throws {MissingChartError} For the first chart cell without a chart.
 * @throws {Error} For the first cell that fails, naming it by its 1-based number.
 */
export function checkNotebook(
  name: string,
  notebook: Notebook,
): { cells: number; charts: number } {
  let cells = 0;
  let charts = 0;
  for (const [index, cell] of notebook.cells.entries()) {
    if (cell.cell_type !== "code") continue;
    cells++;
    const outputs = cell.outputs ?? [];
    const failure = outputs.find((output) => output.output_type === "error");
    if (failure !== undefined) {
      throw new Error(`${name}, cell ${index + 1} failed: ${failure.ename}: ${failure.evalue}`);
    }
    if (cell.metadata.tags?.includes("chart") !== true) continue;
    const shown = outputs.some(({ data }) =>
      data !== undefined && VEGA_LITE in data && FALLBACKS.some((type) => type in data)
    );
    if (!shown) {
      throw new MissingChartError(
        `${name}, cell ${index + 1} shows no chart: expected ${VEGA_LITE} with an image fallback`,
      );
    }
    charts++;
  }
  return { cells, charts };
}
