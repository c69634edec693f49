// deno-lint-ignore-file no-console
/**
 * How close is the simulation to a real engine? Replays measured runs of vLLM on the `vllm_v1`
 * scheduler with the engine's settings and compares latencies.
 *
 * Run with: deno task fidelity [DATA_FOLDER]
 *
 * `DATA_FOLDER`, `../shared` by default, holds runs in `measured/<name>/` (`requests.jsonl`,
 * `meta.json`, `cluster.json`) and profiles of LLMServingSim in
 * `profiling/llmservingsim/<hardware>/<model>/`. Tables and charts go to `runs/fidelity/`.
 *
 * @module
 */
import Table from "cli-table3";
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  compareLatencies,
  type EngineRun,
  fidelityEcdf,
  fidelityScatter,
  type LatencyComparison,
  type NamedLatencies,
  readEngineRun,
  replayEngineRun,
} from "@signalbox/signalbox/fidelity";
import { getGpu, getModel } from "@signalbox/signalbox/hardware";
import { type ReportSection, writeChart, writeReport } from "@signalbox/signalbox/plot";
import { UsageError, writeFileAtomic } from "@signalbox/signalbox/support";
import {
  type BatchTimer,
  createAnalyticTimer,
  createBundleTimer,
  readServingBundle,
} from "@signalbox/signalbox/timing";
import { runCommand } from "../lib/cli/_run_command.ts";

const ROOT = dirname(import.meta.dirname!);
const OUTPUT = join(ROOT, "runs", "fidelity");

const TIMERS = "analytic: roofline of the GPU; one of its coefficients, the CPU time of an " +
  "iteration, was fitted to the mean TPOT of the RTX 4090 and RTX PRO 6000 runs, the others to " +
  "profiles of single operations. bundle: interpolated from LLMServingSim's profiles; nothing was " +
  "fitted to a run.";

interface Comparison {
  readonly run: string;
  readonly requests: number;
  readonly rows: readonly (LatencyComparison & { readonly timer: string })[];
}

async function main(args: readonly string[]): Promise<void> {
  const [data = join(ROOT, "..", "shared"), ...rest] = args;
  if (rest.length > 0) throw new UsageError("Cannot compare: usage is fidelity.ts [DATA_FOLDER]");
  const measured = join(data, "measured");
  if (!existsSync(measured)) {
    console.log(`skipped: there are no measured runs, ${measured} does not exist`);
    return;
  }
  const folders = [...Deno.readDirSync(measured)]
    .map(({ name }) => join(measured, name))
    .filter((folder) => existsSync(join(folder, "requests.jsonl")))
    .sort();
  if (folders.length === 0) throw new UsageError(`Cannot compare: ${measured} has no run`);
  await Deno.mkdir(OUTPUT, { recursive: true });
  const comparisons: Comparison[] = [];
  const sections: ReportSection[] = [];
  for (const folder of folders) {
    const run = await readEngineRun(folder);
    const simulations = await replayWithAllTimers(run, join(data, "profiling", "llmservingsim"));
    const rows = simulations.flatMap(({ name, latencies }) =>
      compareLatencies(run.measured, latencies).map((row) => ({ timer: name, ...row }))
    );
    const comparison = { run: basename(folder), requests: run.workload.count, rows };
    comparisons.push(comparison);
    print(comparison);
    const charts = {
      [`${comparison.run}_scatter`]: fidelityScatter(run.measured, simulations),
      [`${comparison.run}_ecdf`]: fidelityEcdf(run.measured, simulations),
    };
    for (const [name, chart] of Object.entries(charts)) await writeChart(OUTPUT, name, chart);
    sections.push({ title: comparison.run, tables: [tableOf(comparison)], charts });
  }
  await writeFileAtomic(
    join(OUTPUT, "fidelity.json"),
    `${JSON.stringify(comparisons, undefined, 2)}\n`,
  );
  await writeReport(join(OUTPUT, "report.html"), {
    title: "Fidelity",
    subtitle: `Measured runs of vLLM and the same requests on the simulator. ${TIMERS}`,
    sections,
  });
  console.log(`Written to ${OUTPUT}`);
}

/** Replays with the analytic timer and, where the GPU was profiled, the bundle's. */
async function replayWithAllTimers(run: EngineRun, bundles: string): Promise<NamedLatencies[]> {
  const model = getModel(run.model);
  const timers: [string, BatchTimer][] = [];
  const folder = join(bundles, run.gpu.toUpperCase(), model.name);
  if (existsSync(folder) && run.tensorParallel === 1) {
    const bundle = await readServingBundle(folder);
    timers.push(["bundle", createBundleTimer(bundle, { layers: model.layers })]);
  } else {
    console.log(`no bundle timer: ${folder} does not exist or the run is tensor parallel`);
  }
  const gpu = getGpu(run.gpu);
  const { tensorParallel } = run;
  timers.push([
    "analytic",
    createAnalyticTimer({ model, gpu, tensorParallel, pipelineStages: 1 }),
  ]);
  return timers.map(([name, timer]) => ({ name, latencies: replayEngineRun(run, timer) }));
}

const COLUMNS = ["timer", "latency", "statistic", "measured (s)", "simulated (s)", "error (%)"];

function tableOf({ rows, requests }: Comparison) {
  return {
    caption: `${requests} requests`,
    columns: COLUMNS,
    rows: rows.map((row) => [
      row.timer,
      row.metric,
      row.statistic,
      row.measuredSeconds.toPrecision(4),
      row.simulatedSeconds.toPrecision(4),
      (100 * row.relativeError).toFixed(1),
    ]),
  };
}

function print(comparison: Comparison): void {
  const { caption, columns, rows } = tableOf(comparison);
  const table = new Table({
    head: columns,
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "left", "left", "right", "right", "right"],
  });
  table.push(...rows);
  console.log(`${comparison.run}, ${caption}`);
  console.log(table.toString());
}

await runCommand(main);
