import { tableFromRows } from "@signalbox/signalbox/metrics";
import {
  actionShares,
  batchGantt,
  BatchRecorder,
  type Chart,
  displayChart,
  latencyBars,
  latencyEcdf,
  learningCurves,
  makeChart,
  PALETTE,
  renderPng,
  renderSvg,
  rewardComponents,
  writeChart,
} from "@signalbox/signalbox/plot";
import { compile } from "vega-lite";
import assert from "node:assert/strict";
import { sampleBatches, sampleCharts, sampleRequests, sampleTraining } from "./_sample_charts.ts";
import { withFolder } from "../_helpers.ts";

/** The rows that a chart carries. */
function rowsIn(chart: Chart): Record<string, unknown>[] {
  const { data } = chart as { data: { values: Record<string, unknown>[] } };
  return data.values;
}

/** Marks of a kind in SVG text that Vega wrote, axes and legends not counted. */
function countMarks(svg: string, kind: string): number {
  const groups = svg.split(`class="mark-${kind} role-mark`).slice(1);
  return groups.reduce(
    (total, group) => total + group.split("</g>")[0]!.split("<path").length - 1,
    0,
  );
}

Deno.test("every chart compiles without a warning and carries its axis titles", async () => {
  const titles = new Map<string, readonly RegExp[]>([
    ["learning_curves", [/Routing decisions/, /Mean latency in the rollout \(s\)/, /ppo hybrid/]],
    ["reward_components", [/Reward per decision/, /balance penalty/]],
    ["latency_ecdf", [/End-to-end latency \(s\)/, /Share of requests/, /least_outstanding/]],
    ["ttft_ecdf", [/Time to first token \(s\)/]],
    ["latency_bars", [/Mean \(s\)/, /99th percentile \(s\)/, /95 % block bootstrap/]],
    ["action_shares", [/Share of requests/, /0 H100/]],
    ["baseline_differences", [/ppo hybrid against each baseline/, /mean E2E/, /lor_tbt/]],
    ["routing_shares", [/Prompt tokens/, /calm: /, /least_outstanding/, /3 A40/]],
    ["dependence", [/Prompt tokens of the request/, /Requests at the replica itself/, /0 H100/]],
    ["batch_gantt", [/Simulated time \(s\)/, /3 A40/, /prefill/]],
  ]);
  const { charts } = sampleCharts();
  assert.deepEqual(Object.keys(charts).sort(), [...titles.keys()].sort());
  for (const [name, chart] of Object.entries(charts)) {
    const warnings: unknown[] = [];
    const logger = {
      level: () => logger,
      error: (...text: unknown[]) => (warnings.push(text), logger),
      warn: (...text: unknown[]) => (warnings.push(text), logger),
      info: () => logger,
      debug: () => logger,
    };
    compile(chart, {
      logger: logger as unknown as NonNullable<Parameters<typeof compile>[1]>["logger"] & object,
    });
    assert.deepEqual(warnings, [], name);
    const svg = await renderSvg(chart);
    for (const title of titles.get(name)!) assert.match(svg, title, name);
    assert.doesNotMatch(svg, /NaN|undefined/, name);
  }
});

Deno.test("charts stay small however many requests there are", () => {
  const chart = latencyEcdf(sampleRequests(4000), { maxPoints: 400 });
  const counts = new Map<unknown, number>();
  for (const row of rowsIn(chart)) counts.set(row.policy, (counts.get(row.policy) ?? 0) + 1);
  assert.equal(counts.size, 8);
  for (const count of counts.values()) assert.ok(count <= 400 && count > 300);
  const curves = learningCurves(sampleTraining(2000), { panels: ["entropy"], maxPoints: 50 });
  assert.equal(rowsIn(curves).length, 3 * 50);
});

Deno.test("learningCurves() draws the mean over seeds and the range between them", () => {
  const schema = { policy: "utf8", seed: "int64", decisions: "int64", entropy: "float64" } as const;
  const rows = [[1, 0, 1], [2, 0, 3], [1, 100, 2], [2, 100, 2], [3, 100, NaN]] as const;
  const table = tableFromRows(
    schema,
    rows.map(([seed, decisions, entropy]) => ({ policy: "ppo", seed, decisions, entropy })),
  );
  const shared = { panel: "entropy", series: "ppo", seeds: 2 };
  assert.deepEqual(rowsIn(learningCurves(table, { panels: ["entropy"] })), [
    { ...shared, x: 0, mean: 2, low: 1, high: 3 },
    { ...shared, x: 100, mean: 2, low: 2, high: 2 },
  ]);
});

Deno.test("learningCurves() averages neighbouring updates where there are more than points", () => {
  const schema = { policy: "utf8", seed: "int64", decisions: "int64", entropy: "float64" } as const;
  const table = tableFromRows(
    schema,
    [0, 10, 20, 30].map((decisions) => ({ policy: "ppo", seed: 1, decisions, entropy: decisions })),
  );
  const points = rowsIn(learningCurves(table, { panels: ["entropy"], maxPoints: 2 }));
  assert.deepEqual(points.map(({ x, mean }) => [x, mean]), [[5, 5], [25, 25]]);
});

Deno.test("learningCurves() shows a run of one update, and names only policies that were trained", async () => {
  const policies = ["random", "ppo delta", "ppo instant", "ppo hybrid"];
  const svg = await renderSvg(learningCurves(sampleTraining(1), { panels: ["entropy"], policies }));
  assert.equal(countMarks(svg, "symbol"), 3);
  assert.match(svg, />ppo hybrid</);
  assert.doesNotMatch(svg, />random</);
});

Deno.test("latencyEcdf() gives forty policies forty different lines", () => {
  const rows = Array.from(
    { length: 40 },
    (_, i) => ({ policy: `policy ${i}`, e2e_seconds: 1 + i }),
  );
  const chart = latencyEcdf(tableFromRows({ policy: "utf8", e2e_seconds: "float64" }, rows));
  const { layer } = chart as unknown as {
    layer: { encoding: Record<"color" | "strokeDash", { scale: { range: unknown[] } }> }[];
  };
  const { color, strokeDash } = layer[1]!.encoding;
  const lines = color.scale.range.map((value, i) =>
    JSON.stringify([value, strokeDash.scale.range[i]])
  );
  assert.equal(new Set(lines).size, 40);
});

Deno.test("rewardComponents() leaves out what a policy does not have", () => {
  const rows = rowsIn(rewardComponents(sampleTraining(10)));
  const pairs = new Set(rows.map((row) => `${row.panel}: ${row.series}`));
  assert.ok(pairs.has("ppo delta: balance penalty"));
  assert.ok(!pairs.has("ppo instant: balance penalty"));
  assert.equal(pairs.size, 8);
  const bare = tableFromRows({ policy: "utf8", seed: "int64", decisions: "int64" }, []);
  assert.throws(() => rewardComponents(bare), {
    name: "RangeError",
    message: /must hold a reward_<component> column with a value, current count is 0/,
  });
});

Deno.test("latencyBars() sorts policies by mean and keeps intervals around their estimates", async () => {
  const { charts, comparisons } = sampleCharts();
  const rows = rowsIn(charts.latency_bars!);
  assert.equal(rows.length, 2 * comparisons.length);
  for (const { low, seconds, high } of rows as Record<string, number>[]) {
    assert.ok(low! < seconds! && seconds! < high!);
  }
  const means = rows.slice(0, comparisons.length).map((row) => row.seconds as number);
  assert.deepEqual(means, [...means].sort((a, b) => a - b));
  const svg = await renderSvg(charts.latency_bars!);
  assert.throws(() => latencyBars([]), /comparisons must hold at least one policy/);
  assert.equal(countMarks(svg, "rect"), 6 * comparisons.length); // bars and two ticks, twice
});

Deno.test("actionShares() stacks shares to the whole and labels what has room", async () => {
  const chart = actionShares([{ policy: "a", replicaShares: [0.5, 0.46, 0.04] }]);
  const rows = rowsIn(chart);
  assert.deepEqual(rows.map(({ from, to }) => [from, to]), [[0, 0.5], [0.5, 0.96], [0.96, 1]]);
  const svg = await renderSvg(chart);
  assert.match(svg, />46%</);
  assert.doesNotMatch(svg, />4%</);
});

Deno.test("batchGantt() draws one bar a batch, in lanes of replicas and stages", async () => {
  const batches = sampleBatches();
  assert.equal(countMarks(await renderSvg(batchGantt(batches)), "rect"), batches.length);
  const staged = batchGantt([{ ...batches[0]!, stage: 1 }, { ...batches[0]!, stage: 0 }]);
  assert.match(await renderSvg(staged), /replica 0, stage 0.*replica 0, stage 1/s);
  assert.throws(() => batchGantt([]), /batches must hold at least one batch/);
});

Deno.test("BatchRecorder keeps copies of the batches in its window, up to its limit", () => {
  const recorder = new BatchRecorder({ fromSeconds: 1, untilSeconds: 2, maxBatches: 2 });
  const record = {
    batchIndex: 0,
    replica: 0,
    stage: 0,
    formedSeconds: 0,
    startSeconds: 0,
    endSeconds: 0,
    requestCount: 2,
    requests: [0, 1, 9],
    tokens: [64, 1, 1000], // the third entry is beyond requestCount
    prefillTokens: 64,
    kvBlocksUsed: 1,
    shape: {
      requestCount: 2,
      totalTokens: 65,
      decodeCount: 1,
      decodeContextTokens: 100,
      maxDecodeContextTokens: 100,
      prefillCount: 1,
      prefillContextTokens: [0],
      prefillChunkTokens: [64],
    },
  };
  for (const start of [0, 0.75, 1.5, 1.9, 2]) {
    record.startSeconds = start;
    record.endSeconds = start + 0.5;
    recorder.onBatchStageEnd(record);
  }
  assert.deepEqual(recorder.batches.map((batch) => batch.startSeconds), [0.75, 1.5]);
  assert.deepEqual(
    [recorder.batches[0]!.prefillTokens, recorder.batches[0]!.decodeTokens],
    [64, 1],
  );
  assert.throws(() => new BatchRecorder({ maxBatches: 0 }), /maxBatches must be an integer >= 1/);
});

Deno.test("renderSvg() gives the same text every time, also when calls overlap", async () => {
  const { charts } = sampleCharts();
  const first = await renderSvg(charts.latency_ecdf!);
  const [again] = await Promise.all([
    renderSvg(charts.latency_ecdf!),
    renderSvg(charts.action_shares!),
  ]);
  assert.equal(again, first);
});

Deno.test("renderSvg() recovers after a chart that cannot be drawn", async () => {
  const broken = makeChart({ data: { values: [] }, mark: "no such mark" as "bar", encoding: {} });
  await assert.rejects(() => renderSvg(broken));
  const dot = makeChart({ data: { values: [{}] }, mark: "point", encoding: {} });
  assert.match(await renderSvg(dot), /^<svg/);
});

Deno.test("renderPng() draws with the font of the project", async () => {
  const text = makeChart({
    data: { values: [{ label: "Latency" }] },
    width: 80,
    height: 20,
    mark: "text",
    encoding: { text: { field: "label" } },
  });
  const svg = await renderSvg(text);
  const png = await renderPng(svg);
  const size = new DataView(png.buffer, png.byteOffset).getUint32(16); // width, in the IHDR chunk
  assert.equal(size, 2 * Number(/width="(\d+)"/.exec(svg)![1]));
  // without a font the text would vanish and the image would be that of an empty chart
  const empty = await renderPng(svg.replace(">Latency<", "><"));
  assert.ok(png.length > empty.length + 200);
  await assert.rejects(() => renderPng(svg, { scale: 0 }), {
    name: "RangeError",
    message: "Cannot draw chart: scale must be > 0, current value is 0",
  });
});

Deno.test("displayChart() offers Vega-Lite 5 with an image, and pushes the message out", async () => {
  const sent: [type: string, content: Record<string, unknown>][] = [];
  const broadcast = (type: string, content: Record<string, unknown>) => {
    sent.push([type, content]);
    return Promise.resolve();
  };
  await displayChart(actionShares([{ policy: "a", replicaShares: [1] }]), broadcast);
  const [[type, { data }], ...pushes] = sent as [[string, { data: Record<string, unknown> }]];
  assert.equal(type, "display_data");
  const spec = data["application/vnd.vegalite.v5+json"] as { $schema: string };
  assert.equal(spec.$schema, "https://vega.github.io/schema/vega-lite/v5.json");
  assert.match(data["image/svg+xml"] as string, /^<svg/);
  assert.ok(pushes.length > 0);
  for (const push of pushes) assert.deepEqual(push, ["status", { "execution_state": "busy" }]);
});

Deno.test("writeChart() writes the three files and the same bytes again", () =>
  withFolder(async (folder) => {
    const chart = batchGantt(sampleBatches());
    const suffixes = ["vl.json", "svg", "png"];
    const contents: Uint8Array[][] = [];
    for (let round = 0; round < 2; round++) {
      await writeChart(folder, "gantt", chart);
      contents.push(
        await Promise.all(suffixes.map((end) => Deno.readFile(`${folder}/gantt.${end}`))),
      );
    }
    assert.deepEqual(contents[1], contents[0]);
    assert.deepEqual(JSON.parse(new TextDecoder().decode(contents[0]![0])), chart);
    assert.deepEqual([...Deno.readDirSync(folder)].length, 3);
  }));

Deno.test("PALETTE has ten different colours", () => {
  assert.equal(new Set(PALETTE).size, 10);
});
