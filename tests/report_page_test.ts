import { writeReport } from "@signalbox/signalbox/plot";
import { chromium } from "playwright-core";
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { sampleCharts } from "./plot/_sample_charts.ts";

/** What a figure of the page holds once it is drawn. */
interface DrawnFigure {
  readonly name: string | null;
  /** Shapes of the chart's own marks (bars, lines, areas) that take up room. */
  readonly shapes: number;
  readonly width: number;
  readonly height: number;
}

/** Chromium as distributions name it, or `undefined`. */
function findChromium(): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    for (const folder of folders) {
      try {
        if (Deno.statSync(`${folder}/${name}`).isFile) return `${folder}/${name}`;
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }
  return undefined;
}

const executablePath = findChromium();
const isCi = Deno.env.get("CI") === "true";

Deno.test({
  name: "the report page draws every chart in a browser, offline and without a console message" +
    (executablePath === undefined ? " (skipped: no chromium on PATH)" : ""),
  ignore: executablePath === undefined && !isCi,
  fn: async () => {
    assert.ok(executablePath !== undefined, "CI must have chromium on PATH");
    const folder = await Deno.makeTempDir();
    // Tests run in containers as root, where Chromium has no sandbox.
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    try {
      const { charts } = sampleCharts();
      const sections = Object.entries(charts).map(([name, chart]) => ({
        title: name,
        charts: { [name]: chart },
      }));
      await writeReport(`${folder}/report.html`, { title: "Page test", sections });
      const address = pathToFileURL(`${folder}/report.html`).href;

      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      const messages: string[] = [];
      const requested: string[] = [];
      page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
      page.on("pageerror", (error) => messages.push(String(error)));
      page.on("request", (request) => requested.push(request.url()));
      await page.goto(address);
      await page.waitForSelector("html[data-charts]");

      assert.deepEqual(messages, []);
      assert.deepEqual(requested.filter((url) => !url.startsWith("data:")), [address]);
      assert.equal(await page.getAttribute("html", "data-charts"), "drawn");
      const figures: DrawnFigure[] = await page.$$eval(
        "figure",
        (elements) =>
          elements.map((figure) => {
            const { width, height } = figure.querySelector("svg.marks")!.getBoundingClientRect();
            const shapes = [...figure.querySelectorAll(".role-mark path, .role-mark text")];
            const visible = shapes.filter((shape) => {
              const box = shape.getBoundingClientRect();
              return box.width + box.height > 0;
            });
            return { name: figure.ariaLabel, shapes: visible.length, width, height };
          }),
      );
      assert.deepEqual(figures.map((figure) => figure.name), Object.keys(charts));
      for (const { name, shapes, width, height } of figures) {
        assert.ok(shapes >= 6, `${name} has ${shapes} shapes`);
        assert.ok(width > 500 && height > 100, `${name} is ${width} x ${height}`);
      }

      // A click on a legend entry picks one curve out: the others fade.
      const opacities = (): Promise<string[]> =>
        page.$$eval(
          '[aria-label="latency_ecdf"] .mark-line path',
          (paths) => paths.map((path) => path.getAttribute("opacity") ?? "1"),
        );
      const before = await opacities();
      await page.locator('[aria-label="latency_ecdf"] .role-legend-label text').first().click();
      const after = await opacities();
      assert.deepEqual(new Set(before), new Set(["1"]));
      assert.equal(after.filter((opacity) => opacity === "1").length, 1);
    } finally {
      await browser.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
