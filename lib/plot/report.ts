/**
 * A run as one page to read, send and keep.
 *
 * @module
 */
import { writeFileAtomic } from "../support/mod.ts";
import { PAGE_SCRIPT, PAGE_STYLE } from "./_report_page.ts";
import { loadVegaBundles } from "./_vega_bundles.ts";
import type { Chart } from "./chart.ts";
import { chartTheme, PAGE_INK } from "./theme.ts";

/** A table cell; numbers are printed as they are, null is left empty. */
export type ReportCell = string | number | boolean | null;

/** A table of a report; columns of mostly numbers are aligned right. */
export interface ReportTable {
  /** Line above the table. */
  readonly caption?: string;
  /** Column titles, with units. */
  readonly columns: readonly string[];
  /** Rows, each as long as `columns`. Format numbers as text where digits matter. */
  readonly rows: readonly (readonly ReportCell[])[];
}

/** A part of a report, in the order: text, tables, charts, details. */
export interface ReportSection {
  /** Heading. */
  readonly title: string;
  /** Plain text; an empty line starts a new paragraph. */
  readonly text?: string;
  /** Tables. */
  readonly tables?: readonly ReportTable[];
  /** Charts by file name (without extension), as the page's download menu offers them. */
  readonly charts?: Readonly<Record<string, Chart>>;
  /** Folded text under a title, e.g. the manifest as JSON. */
  readonly details?: Readonly<Record<string, string>>;
}

/** What {@linkcode writeReport} writes. */
export interface Report {
  /** Heading of the page. */
  readonly title: string;
  /** A sentence below it. */
  readonly subtitle?: string;
  /** Parts, in order. */
  readonly sections: readonly ReportSection[];
}

/**
 * Writes one HTML page with interactive charts and tables. The page contains everything it needs
 * (Vega included) and forbids itself any network access; it follows the reader's light or dark
 * mode and prints in light. Equal reports give equal bytes.
 *
 * @param path Destination, usually `report.html`; its folder must exist.
 * @param report Title and sections.
 * @throws {RangeError} When a row of a table is not as long as its columns.
 *
 * @example
 * ```ts
 * import { makeChart, writeReport } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const folder = await Deno.makeTempDir();
 * const dot = makeChart({ data: { values: [{ x: 1 }] }, mark: "point", encoding: {} });
 * await writeReport(`${folder}/report.html`, {
 *   title: "Reward modes",
 *   sections: [{
 *     title: "Summary",
 *     tables: [{ columns: ["Policy", "Mean (s)"], rows: [["random", 9.03]] }],
 *     charts: { dot },
 *   }],
 * });
 * assert.match(await Deno.readTextFile(`${folder}/report.html`), /<h1>Reward modes<\/h1>/);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function writeReport(path: string, report: Report): Promise<void> {
  const { scripts, notice } = await loadVegaBundles();
  const charts: { name: string; spec: Chart }[] = [];
  const sections = report.sections.map((section, index) => renderSection(section, index, charts));
  const contents = report.sections.map((section, index) =>
    `<li><a href="#section-${index}">${escapeHtml(section.title)}</a></li>`
  );
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<title>${escapeHtml(report.title)}</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>${escapeHtml(report.title)}</h1>
${report.subtitle === undefined ? "" : `<p>${escapeHtml(report.subtitle)}</p>`}
<nav aria-label="Sections"><ul>${contents.join("")}</ul></nav>
</header>
<main>
${sections.join("\n")}
</main>
<script type="application/json" id="charts">${jsonText(charts)}</script>
<!--
${notice}
-->
${scripts.map((script) => `<script>${script}</script>`).join("\n")}
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
  await writeFileAtomic(path, page);
}

/** Nothing may be fetched; Vega compiles its expressions, hence `unsafe-eval`. */
const CONTENT_POLICY = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; " +
  "style-src 'unsafe-inline'; img-src data: blob:";

/** HTML of a section; its charts are appended to `charts`. */
function renderSection(
  section: ReportSection,
  index: number,
  charts: { name: string; spec: Chart }[],
): string {
  const { title, text, tables = [], details = {} } = section;
  const parts = [`<h2>${escapeHtml(title)}</h2>`];
  if (text !== undefined) {
    for (const paragraph of text.split(/\n\s*\n/)) parts.push(`<p>${escapeHtml(paragraph)}</p>`);
  }
  for (const table of tables) parts.push(renderTable(table));
  for (const [name, chart] of Object.entries(section.charts ?? {})) {
    parts.push(`<figure id="chart-${charts.length}" aria-label="${escapeHtml(name)}"></figure>`);
    charts.push({ name, spec: forPage(chart) });
  }
  for (const [summary, body] of Object.entries(details)) {
    parts.push(
      `<details><summary>${escapeHtml(summary)}</summary><pre>${escapeHtml(body)}</pre></details>`,
    );
  }
  return `<section id="section-${index}">\n${parts.join("\n")}\n</section>`;
}

function renderTable({ caption, columns, rows }: ReportTable): string {
  // A column of numbers may hold a word or two, such as "reference".
  const isNumber = columns.map((_, c) =>
    2 * rows.filter((row) => looksNumeric(row[c])).length > rows.length
  );
  const cell = (tag: "th" | "td", value: ReportCell, c: number): string =>
    `<${tag}${isNumber[c] ? ' class="number"' : ""}>${escapeHtml(String(value ?? ""))}</${tag}>`;
  const body = rows.map((row, index) => {
    if (row.length !== columns.length) {
      throw new RangeError(
        `Cannot write report: rows[${index}] must have ${columns.length} cells, current count is ${row.length}`,
      );
    }
    return `<tr>${row.map((value, c) => cell("td", value, c)).join("")}</tr>`;
  });
  const head = columns.map((title, c) => cell("th", title, c)).join("");
  return `<div class="scroll"><table>${
    caption === undefined ? "" : `<caption>${escapeHtml(caption)}</caption>`
  }<thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

/** A number, or text that begins with one as a word: "4.63", "−12.1 % to −9.2 %"; no hash. */
function looksNumeric(value: ReportCell | undefined): boolean {
  return typeof value === "number" ||
    (typeof value === "string" && /^[-−+]?\d[\d.,]*(e[-+]?\d+)?(\s|%|$)/.test(value));
}

/** The chart in the page's ink and, if it is a single view, as wide as the page. */
function forPage(chart: Chart): Chart {
  const { $schema: _, ...spec } = chart;
  const config = chartTheme(PAGE_INK);
  const isSingle = "width" in spec && typeof spec.width === "number";
  return isSingle ? { ...spec, config, width: "container" } : { ...spec, config };
}

/** JSON that can stand in a `<script>` element. */
function jsonText(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
