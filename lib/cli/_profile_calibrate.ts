// deno-lint-ignore-file no-console
/** `deno task profile calibrate`. */
import type { Command } from "commander";
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import stringify from "json-stringify-pretty-compact";
import {
  calibrateTimer,
  type Calibration,
  type EngineRun,
  type EngineSettingsSources,
  fidelityEcdf,
  fidelityScatter,
  latencyMetrics,
  readEngineLog,
  readEngineSettings,
  replayAnalytic,
  type RequestLatencies,
} from "../fidelity/mod.ts";
import { type ReportSection, type ReportTable, writeReport } from "../plot/mod.ts";
import { UsageError, writeFileAtomic } from "../support/mod.ts";
import type { AnalyticProfile } from "../timing/mod.ts";
import { parsePositive } from "./_arguments.ts";
import { textTable } from "./_text_table.ts";

interface CalibrateOptions extends Omit<EngineSettingsSources, "meta" | "modelConfig"> {
  readonly config?: string;
  readonly modelConfig?: string;
  readonly folds: number;
  readonly out: string;
}

/** Adds the sub-command that fits a profile to logs of an engine. */
export function addCalibrateCommand(program: Command): void {
  const positive = (flag: string) => [flag, parsePositive(flag.split(" ")[0]!)] as const;
  const [seqs, parseSeqs] = positive("--max-num-seqs <n>");
  const [tokens, parseTokens] = positive("--max-num-batched-tokens <n>");
  const [degree, parseDegree] = positive("--tensor-parallel <n>");
  const [blocks, parseBlocks] = positive("--kv-blocks <n>");
  const [folds, parseFolds] = positive("--folds <k>");
  program.command("calibrate")
    .description("Fits the analytic timer to logs of an engine (requests.jsonl of one kind of GPU)")
    .argument(
      "<logs...>",
      "requests.jsonl; settings are read from meta.json and cluster.json beside it",
    )
    .option("--config <file>", "meta.json of all logs, instead of the one beside each")
    .option("--cluster <file>", "cluster.json of all logs, instead of the one beside each")
    .option("--model <name>", "served model, a name of the hardware catalogue")
    .option("--model-config <file>", "the model's config.json of Hugging Face, if it is not there")
    .option("--gpu <name>", "kind of GPU, a name of the hardware catalogue")
    .option(degree, "GPUs that share each layer", parseDegree)
    .option(seqs, "most requests in an iteration", parseSeqs)
    .option(tokens, "most tokens in an iteration", parseTokens)
    .option(blocks, "KV blocks that requests may use", parseBlocks)
    .option(folds, "blocks of time that are held out in turn", parseFolds, 4)
    .requiredOption("--out <file.json>", "new file for the profile; its report goes to <file.html>")
    .action(calibrate);
}

async function calibrate(logs: readonly string[], options: CalibrateOptions): Promise<void> {
  const { out, folds } = options;
  if (!out.endsWith(".json")) {
    throw new UsageError(
      `Cannot write the profile: --out must end in .json, current value is ${out}`,
    );
  }
  const report = out.replace(/\.json$/, ".html");
  for (const path of [out, report]) {
    if (existsSync(path)) throw new UsageError(`Cannot write the profile: ${path} exists already`);
  }
  const runs: EngineRun[] = [];
  for (const log of logs) runs.push(await readRun(log, options));
  const calibration = calibrateTimer(runs, { folds });
  const { profile } = calibration;
  for (const table of [coefficientTable(profile), errorTable(profile)]) {
    console.log(table.caption);
    console.log(textTable(table.columns, table.rows.map((row) => row.map(String))));
  }
  for (const warning of profile.warnings) console.log(`warning: ${warning}`);
  await Deno.mkdir(dirname(out), { recursive: true });
  await writeReport(report, {
    title: `Calibration of ${profile.gpu}`,
    subtitle: profile.method,
    sections: [
      {
        title: "Coefficients and errors",
        text: profile.warnings.join("\n\n"),
        tables: [coefficientTable(profile), errorTable(profile)],
      },
      ...runs.map((run) => heldOutSection(run, calibration)),
    ],
  });
  await writeFileAtomic(out, `${stringify(profile, { maxLength: 100 })}\n`);
  console.log(`Written to ${out} and ${report}`);
}

async function readRun(log: string, options: CalibrateOptions): Promise<EngineRun> {
  const { config, cluster, modelConfig, out: _, folds: __, ...given } = options;
  const beside = (name: string): string | undefined => {
    const path = join(dirname(log), name);
    return existsSync(path) ? path : undefined;
  };
  const files = {
    meta: config ?? beside("meta.json"),
    cluster: cluster ?? beside("cluster.json"),
  };
  const named = Object.fromEntries(Object.entries(files).filter(([, path]) => path !== undefined));
  const sources = {
    ...given,
    ...named,
    ...(modelConfig !== undefined && { modelConfig: () => modelConfig }),
  };
  return { ...await readEngineSettings(sources), ...await readEngineLog(log) };
}

function coefficientTable({ coefficients }: AnalyticProfile): ReportTable {
  return {
    caption: "Coefficients: what was expected, what was fitted, and its jackknife standard error",
    columns: ["coefficient", "expected", "fitted", "standard error", "told by the log", "meaning"],
    rows: coefficients.map(({ name, meaning, prior, value, standardError, isIdentified }) => [
      name,
      prior.toPrecision(3),
      value.toPrecision(3),
      standardError.toPrecision(2),
      isIdentified ? "yes" : "hardly",
      meaning,
    ]),
  };
}

function errorTable({ halves, folds }: AnalyticProfile): ReportTable {
  const rows = [
    ["first half, fitted", halves.fitted] as const,
    ["second half, held out", halves.heldOut] as const,
    ...folds.map((errors, k) => [`block ${k + 1} of ${folds.length}, held out`, errors] as const),
  ];
  return {
    caption: "Errors of simulated means, %",
    columns: ["requests", ...latencyMetrics],
    rows: rows.map(([name, errors]) => [
      name,
      ...latencyMetrics.map((metric) => (100 * errors[metric]).toFixed(1)),
    ]),
  };
}

/** The second half of a log, which the first half's coefficients have not seen. */
function heldOutSection(run: EngineRun, { firstHalf }: Calibration): ReportSection {
  const half = (latencies: RequestLatencies): RequestLatencies => {
    const from = Math.ceil(run.workload.count / 2);
    const { ttft, tpot, e2e } = latencies;
    return { ttft: ttft.subarray(from), tpot: tpot.subarray(from), e2e: e2e.subarray(from) };
  };
  const simulations = [
    { name: "catalogue", latencies: half(replayAnalytic(run)) },
    { name: "fitted to the first half", latencies: half(replayAnalytic(run, firstHalf)) },
  ];
  const name = `${basename(dirname(run.workload.name))}_held_out`;
  return {
    title: `Second half of ${run.workload.name}`,
    charts: {
      [`${name}_scatter`]: fidelityScatter(half(run.measured), simulations),
      [`${name}_ecdf`]: fidelityEcdf(half(run.measured), simulations),
    },
  };
}
