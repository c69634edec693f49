/** Style of the report page. Charts take their ink from `color`, so they follow light and dark. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ink: light-dark(#1f2933, #dfe4ea);
  --soft: light-dark(#52606d, #9aa7b4);
  --page: light-dark(#f5f6f8, #14181d);
  --card: light-dark(#ffffff, #1c2229);
  --line: light-dark(#dde2e8, #323b45);
  --mark: light-dark(#2f6fb0, #7db8f0);
}
@media print {
  :root { color-scheme: light; }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.55 Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  -webkit-text-size-adjust: 100%;
}
main, header { max-width: 1160px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 44px; padding-bottom: 8px; }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -0.02em; margin: 0; text-wrap: balance; }
h2 { font-size: 20px; letter-spacing: -0.01em; margin: 0 0 6px; }
p { max-width: 72ch; margin: 0 0 14px; color: var(--soft); }
header p { font-size: 16px; margin-top: 8px; }
a { color: var(--mark); text-underline-offset: 3px; }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 16px 0 0; padding: 0; }
section {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  margin: 24px 0; padding: 24px 26px 20px; break-inside: avoid-page;
}
.scroll { overflow-x: auto; margin: 10px 0 16px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
caption { text-align: left; color: var(--soft); padding-bottom: 8px; }
th, td { text-align: left; padding: 7px 14px 7px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-size: 12.5px; color: var(--soft); font-weight: 600; vertical-align: bottom; white-space: normal; }
tbody tr:last-child td { border-bottom: 0; }
.number { text-align: right; }
td:first-child { font-weight: 550; }
figure { margin: 14px 0 22px; overflow-x: auto; overflow-y: hidden; }
figure.vega-embed { display: block; width: 100%; padding: 0 38px 0 0; }
figure.vega-embed summary { opacity: 0; }
figure.vega-embed:hover summary, figure.vega-embed summary:focus-visible { opacity: 0.6; }
@media screen and (prefers-color-scheme: dark) {
  figure svg.marks { filter: brightness(1.3); }
}
.failed { color: #c0392b; white-space: pre-wrap; }
details { margin: 10px 0; }
summary { cursor: pointer; color: var(--soft); }
pre { overflow: auto; max-height: 480px; font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
#vg-tooltip-element.vg-tooltip {
  background: var(--card); color: var(--ink); border: 1px solid var(--line);
  font: 12.5px/1.5 system-ui, sans-serif; box-shadow: 0 4px 16px rgb(0 0 0 / 0.18);
}
#vg-tooltip-element.vg-tooltip td.key { color: var(--soft); }
@media print {
  body { background: none; font-size: 12px; }
  section { border: 0; padding: 0; }
  nav, figure.vega-embed details { display: none; }
}
`;

/**
 * Draws every chart of the page. Says on the root element when it is done (`data-charts`), for
 * whoever prints or tests the page.
 */
export const PAGE_SCRIPT = `
const charts = JSON.parse(document.getElementById("charts").textContent);
const drawn = charts.map(async (chart, index) => {
  const figure = document.getElementById("chart-" + index);
  try {
    await vegaEmbed(figure, chart.spec, {
      mode: "vega-lite",
      renderer: "svg",
      actions: { export: true, source: false, compiled: false, editor: false },
      downloadFileName: chart.name,
    });
    return true;
  } catch (error) {
    figure.textContent = "This chart could not be drawn: " + error.message;
    figure.classList.add("failed");
    console.error(error);
    return false;
  }
});
Promise.all(drawn).then((results) => {
  document.documentElement.dataset.charts = results.every(Boolean) ? "drawn" : "failed";
});
`;
