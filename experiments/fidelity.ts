// deno-lint-ignore-file no-console
/**
 * How close is the simulation to a real engine? Replays measured runs of vLLM on the `vllm_v1`
 * scheduler with the engine's settings and compares latencies.
 *
 * Run with: deno task fidelity [DATA_FOLDER]
 *
 * `DATA_FOLDER`, `../shared` by default, holds runs in `measured/<name>/` (`requests.jsonl`,
 * `meta.json`, `cluster.json`) and profiles of LLMServingSim in
 * `profiling/llmservingsim/<hardware>/<model>/`, and of models that the catalogue lacks the
 * architecture in `profiling/llmservingsim/models/<model>.json`. Tables and charts go to `runs/fidelity/`.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  calibrateTimer,
  compareLatencies,
  createRunBundleTimer,
  type EngineRun,
  fidelityEcdf,
  fidelityScatter,
  type LatencyComparison,
  modelOf,
  readEngineRun,
  replayAnalytic,
  replayEngineRun,
  type RequestLatencies,
} from "@signalbox/signalbox/fidelity";
import { getGpu } from "@signalbox/signalbox/hardware";
import {
  type ReportSection,
  type ReportTable,
  writeChart,
  writeReport,
} from "@signalbox/signalbox/plot";
import { ConfigError, TraceError, UsageError, writeFileAtomic } from "@signalbox/signalbox/support";
import { createTimer } from "@signalbox/signalbox/timing";
import { runCommand } from "../lib/cli/_run_command.ts";
import { textTable } from "../lib/cli/_text_table.ts";

const ROOT = dirname(import.meta.dirname!);
const OUTPUT = join(ROOT, "runs", "fidelity");

const TIMERS = "bundle: interpolated from LLMServingSim's profiles; nothing was fitted to a run. " +
  "profile: the compact profile that is shipped, reduced from the same tables. " +
  "analytic: roofline of the GPU; one of its coefficients, the CPU time of an iteration, was " +
  "fitted to the mean TPOT of the RTX 4090 and RTX PRO 6000 runs, the others to profiles of single " +
  "operations. calibrated: the analytic timer with four coefficients fitted to the first half of " +
  "the run's requests; compared on the second half.";

/** Replays a run as one timer does. */
interface Contender {
  readonly timer: string;
  /** First request that is compared. */
  readonly from: number;
  replay(): RequestLatencies;
}

interface Comparison {
  readonly run: string;
  readonly requests: number;
  readonly requestsPerSecond: Readonly<Record<string, number>>;
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
  const bundles = join(data, "profiling", "llmservingsim");
  const comparisons: Comparison[] = [];
  const sections: ReportSection[] = [];
  for (const folder of folders) {
    const modelConfig = (model: string): string | undefined => {
      const path = join(bundles, "models", `${model}.json`);
      return existsSync(path) ? path : undefined;
    };
    const run = await orSkip(basename(folder), () => readEngineRun(folder, { modelConfig }));
    if (run === undefined) continue;
    const contenders = await contendersOf(run, bundles);
    const { comparison, charts } = compare(basename(folder), run, contenders);
    comparisons.push(comparison);
    const table = tableOf(comparison);
    console.log(`${comparison.run}, ${table.caption}`);
    console.log(textTable(table.columns, table.rows.map((row) => row.map(String))));
    for (const [name, chart] of Object.entries(charts)) await writeChart(OUTPUT, name, chart);
    sections.push({ title: comparison.run, tables: [table], charts });
  }
  if (comparisons.length === 0) {
    throw new UsageError(`Cannot compare: no run of ${measured} is usable`);
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

/** What cannot be used for a stated reason is left out with that reason; the rest goes on. */
async function orSkip<T>(what: string, make: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof TraceError || error instanceof ConfigError)) throw error;
    console.log(`left out: ${what}. ${error.message}`);
    return undefined;
  }
}

async function contendersOf(run: EngineRun, bundles: string): Promise<Contender[]> {
  const contenders: Contender[] = [];
  const bundle = await orSkip("bundle timer", () => createRunBundleTimer(run, bundles));
  if (bundle === undefined) {
    console.log(`no bundle timer: ${bundles} has no profile of ${run.model} on ${run.gpu}`);
  } else {
    contenders.push({ timer: "bundle", from: 0, replay: () => replayEngineRun(run, bundle) });
  }
  const profile = await orSkip("profile timer", () =>
    createTimer({ kind: "profile" }, {
      gpu: getGpu(run.gpu),
      model: modelOf(run),
      tensorParallel: run.tensorParallel,
      pipelineStages: 1,
    }));
  if (profile !== undefined) {
    contenders.push({ timer: "profile", from: 0, replay: () => replayEngineRun(run, profile) });
  }
  contenders.push({ timer: "analytic", from: 0, replay: () => replayAnalytic(run) });
  const calibration = await orSkip("calibrated timer", () => calibrateTimer([run], { folds: 2 }));
  if (calibration !== undefined) {
    contenders.push({
      timer: "calibrated",
      from: Math.ceil(run.workload.count / 2),
      replay: () => replayAnalytic(run, calibration.firstHalf),
    });
  }
  return contenders;
}

function compare(name: string, run: EngineRun, contenders: readonly Contender[]) {
  const results = contenders.map(({ timer, from, replay }) => {
    replay(); // The first time is the compiler's, too.
    const start = performance.now();
    const all = replay();
    const seconds = (performance.now() - start) / 1000;
    const after = (latencies: RequestLatencies): RequestLatencies => ({
      ttft: latencies.ttft.subarray(from),
      tpot: latencies.tpot.subarray(from),
      e2e: latencies.e2e.subarray(from),
    });
    const rows = compareLatencies(after(run.measured), after(all)).map((row) => ({
      timer,
      ...row,
    }));
    return { timer, all, rows, requestsPerSecond: Math.round(run.workload.count / seconds) };
  });
  const simulations = results.map(({ timer, all }) => ({ name: timer, latencies: all }));
  const comparison: Comparison = {
    run: name,
    requests: run.workload.count,
    requestsPerSecond: Object.fromEntries(
      results.map(({ timer, requestsPerSecond }) => [timer, requestsPerSecond]),
    ),
    rows: results.flatMap(({ rows }) => rows),
  };
  const charts = {
    [`${name}_scatter`]: fidelityScatter(run.measured, simulations),
    [`${name}_ecdf`]: fidelityEcdf(run.measured, simulations),
  };
  return { comparison, charts };
}

const COLUMNS = ["timer", "latency", "statistic", "measured (s)", "simulated (s)", "error (%)"];

function tableOf({ rows, requests, requestsPerSecond }: Comparison): ReportTable {
  const speeds = Object.entries(requestsPerSecond).map(([timer, speed]) => `${timer} ${speed}`);
  return {
    caption: `${requests} requests (calibrated: the second half); requests simulated a second: ${
      speeds.join(", ")
    }`,
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

await runCommand(main);
