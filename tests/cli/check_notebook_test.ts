import assert from "node:assert/strict";
import { checkNotebook } from "../../lib/cli/_check_notebook.ts";

const chart = {
  "output_type": "execute_result",
  data: { "application/vnd.vegalite.v5+json": {}, "image/svg+xml": "<svg/>" },
};
const chartCell = { "cell_type": "code", metadata: { tags: ["chart"] } };

Deno.test("checkNotebook() counts code cells and charts", () => {
  const cells = [
    { cell_type: "markdown", metadata: {} },
    { cell_type: "code", metadata: {}, outputs: [] },
    { ...chartCell, outputs: [chart] },
  ];
  assert.deepEqual(checkNotebook("a.ipynb", { cells }), { cells: 2, charts: 1 });
});

Deno.test("checkNotebook() refuses a failed cell", () => {
  const outputs = [{ output_type: "error", ename: "TypeError", evalue: "x is not a function" }];
  assert.throws(
    () => checkNotebook("a.ipynb", { cells: [{ cell_type: "code", metadata: {}, outputs }] }),
    { message: "a.ipynb, cell 1 failed: TypeError: x is not a function" },
  );
});

Deno.test("checkNotebook() refuses a chart cell without a chart or without its image", () => {
  const noImage = { ...chart, data: { "application/vnd.vegalite.v5+json": {} } };
  for (const outputs of [[], [noImage]]) {
    assert.throws(
      () => checkNotebook("a.ipynb", { cells: [{ ...chartCell, outputs }] }),
      { message: /cell 1 shows no chart/, name: "MissingChartError" },
    );
  }
});
