import { makeChart, type Report, writeReport } from "@signalbox/signalbox/plot";
import assert from "node:assert/strict";

const report: Report = {
  title: 'Policies <b>&</b> "replicas"',
  sections: [{
    title: "Summary",
    text: "First paragraph.\n\nSecond, with </script><script>alert(1)</script>.",
    tables: [{
      caption: "Latency",
      columns: ["Policy", "Mean (s)"],
      rows: [["a<b", 4.5], ["c", 2], ["d", null]],
    }],
    charts: {
      dots: makeChart({
        data: { values: [{ label: "</script><script>alert(2)</script>" }] },
        mark: "text",
        encoding: { text: { field: "label" } },
      }),
    },
    details: { "manifest.json": '{"note": "</pre><script>alert(3)</script>"}' },
  }],
};

async function writtenReport(value: Report): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    await writeReport(`${folder}/report.html`, value);
    return await Deno.readTextFile(`${folder}/report.html`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("writeReport() escapes text in every place", async () => {
  const page = await writtenReport(report);
  const body = page.slice(page.indexOf("<body>"), page.indexOf("</main>"));
  assert.match(body, /<h1>Policies &#60;b&#62;&#38;&#60;\/b&#62; &#34;replicas&#34;<\/h1>/);
  assert.match(body, /<td>a&#60;b<\/td><td class="number">4\.5<\/td>/);
  assert.match(body, /<td class="number"><\/td>/);
  assert.ok(!page.includes("<script>alert"));
  // one script of data, three of Vega, one that draws
  assert.equal(page.split("<script").length - 1, 5);
  assert.equal(page.split("</script>").length - 1, 5);
});

Deno.test("writeReport() aligns columns of numbers right, whatever form the numbers have", async () => {
  const rows = [
    ["8fa31c", 1, "-12.1 % to -9.2 %", "reference", null],
    ["4493ed", 2, "+3.0 % to +4.0 %", "−1.5", null],
    ["77e5ab", 3, "1e-4", "2.5", "x"],
  ];
  const tables = [{ columns: ["Id", "Count", "Interval", "Difference", "Note"], rows }];
  const page = await writtenReport({ title: "x", sections: [{ title: "y", tables }] });
  const heads = [
    ...page.slice(0, page.indexOf("</thead>")).matchAll(/<th( class="number")?>(\w+)/g),
  ];
  const right = heads.filter((head) => head[1] !== undefined).map((head) => head[2]);
  assert.deepEqual(right, ["Count", "Interval", "Difference"]);
});

Deno.test("writeReport() needs no network and names the licences it carries", async () => {
  const page = await writtenReport(report);
  const head = page.slice(0, page.indexOf("<body>"));
  assert.match(head, /Content-Security-Policy" content="default-src 'none'/);
  assert.deepEqual(head.match(/(src|href)="[^"]*"/g), ['href="data:,"']);
  assert.ok(!/<script[^>]* src=/.test(page));
  for (const name of ["vega", "vega-lite", "vega-embed"]) {
    assert.ok(new RegExp(`\n${name} \\d+\\.\\d+\\.\\d+\n\nCopyright`).test(page), name);
  }
});

Deno.test("writeReport() gives the same bytes for the same report", async () => {
  assert.equal(await writtenReport(report), await writtenReport(report));
});

Deno.test("writeReport() refuses a row that is shorter than its table", async () => {
  const tables = [{ columns: ["Policy", "Mean (s)"], rows: [["a"]] }];
  await assert.rejects(() => writtenReport({ title: "x", sections: [{ title: "y", tables }] }), {
    name: "RangeError",
    message: "Cannot write report: rows[0] must have 2 cells, current count is 1",
  });
});
