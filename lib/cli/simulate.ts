// deno-lint-ignore-file no-console
/**
 * `deno task simulate`: runs one workload through one policy and prints what happened.
 *
 * @module
 */
import Table from "cli-table3";
import { Command } from "commander";
import {
  BatchesTable,
  measureSloAttainment,
  OperationMeter,
  requestRows,
  requestsSchema,
  type SloTargets,
  summarizeRequests,
  summaryColumns,
  tableFromRows,
  UtilizationMeter,
  writeParquet,
} from "../metrics/mod.ts";
import { UsageError } from "../support/mod.ts";
import { ChromeTrace, type SimulationResult } from "../simulator/mod.ts";
import { evaluatePolicies, openScenario } from "../training/mod.ts";
import type { Workload } from "../workload/mod.ts";
import { parseArguments, parsePositive, parseSeeds } from "./_arguments.ts";
import {
  addExperimentOptions,
  type ExperimentOptions,
  loadExperiment,
} from "./_experiment_options.ts";
import { withInterrupts } from "./_interrupt.ts";
import { findPolicy } from "./_policies.ts";
import { runCommand } from "./_run_command.ts";
import { TextFileWriter } from "./_text_file_writer.ts";
import { operationTable, utilizationTable } from "./_utilization_table.ts";

interface SimulateOptions extends ExperimentOptions {
  readonly policy: string;
  readonly seed: readonly number[];
  readonly requests?: number;
  readonly out?: string;
  readonly operations?: true;
  readonly batches?: string;
  readonly chromeTrace?: string;
  readonly sloTtft?: number;
  readonly sloTpot?: number;
  readonly sloE2e?: number;
}

const program = addExperimentOptions(new Command("simulate"))
  .description("Simulates one run and prints its latencies, rates and use of the replicas")
  .option("--policy <name>", "who routes: a router, or ppo:CHECKPOINT", "least_outstanding")
  .option("--seed <n>", "arrival seed", parseSeeds, [1])
  .option("--requests <n>", "requests (default: evaluation.requests)", parsePositive("--requests"))
  .option("--slo-ttft <seconds>", "limit of the time to first token", parseSeconds)
  .option("--slo-tpot <seconds>", "limit of the time per output token", parseSeconds)
  .option("--slo-e2e <seconds>", "limit of the end-to-end latency", parseSeconds)
  .option("--out <file>", "also write one row a request to this Parquet file")
  .option("--operations", "also print what each replica spends its time on")
  .option("--batches <file>", "also write one row a batch and stage to this Parquet file")
  .option("--chrome-trace <file>", "also write a timeline for Perfetto to this JSON file");

await runCommand(async (args) => {
  const options = parseArguments(program, args).opts<SimulateOptions>();
  const config = await loadExperiment(options);
  const requests = options.requests ?? config.evaluation.requests;
  const scenario = await openScenario({
    ...config,
    evaluation: { ...config.evaluation, requests, seeds: [options.seed[0]!] },
  });
  const entry = await findPolicy(scenario, options.policy);
  const meter = new UtilizationMeter(scenario.replicas);
  const operations = options.operations && new OperationMeter(scenario.replicas);
  const batches = options.batches === undefined ? undefined : new BatchesTable();
  using traceFile = options.chromeTrace === undefined
    ? undefined
    : new TextFileWriter(options.chromeTrace);
  const trace = traceFile &&
    new ChromeTrace(scenario.replicas, (text) => traceFile.write(text));
  const observers = [meter, operations, batches, trace].filter((observer) =>
    observer !== undefined
  );
  const runs = await withInterrupts((signal) =>
    evaluatePolicies(scenario, [entry], { observers, signal })
  );
  const { workload, result, evaluationSeed, label } = runs[0]!;
  const table = new Table({ style: { head: [], border: [], compact: true } });
  table.push(
    { policy: label },
    { workload: workload.name },
    { "simulated seconds": result.endSeconds.toFixed(2) },
    { batches: String(result.batchCount) },
    ...Object.entries(summaryColumns(summarizeRequests(workload, result, scenario.replicas.length)))
      .map(([name, value]) => ({ [name.replaceAll("_", " ")]: show(value) })),
  );
  for (const [name, value] of attainmentRows(options, workload, result)) {
    table.push({ [name]: value });
  }
  console.log(table.toString());
  console.log(utilizationTable(scenario.replicas, meter.summarize(result.endSeconds)));
  if (operations !== undefined) {
    console.log(operationTable(scenario.replicas, operations.summarize()));
  }
  if (options.out !== undefined) {
    const labels = { trialId: "simulate", policy: label, trainingSeed: null, evaluationSeed };
    const rows = requestRows(labels, workload, result.outcomes);
    await writeParquet(options.out, tableFromRows(requestsSchema, rows));
    console.log(`Written to ${options.out}`);
  }
  if (batches !== undefined) {
    await writeParquet(options.batches!, batches.finish());
    console.log(`Written to ${options.batches}`);
  }
  if (traceFile !== undefined) {
    trace!.end();
    traceFile.close();
    console.log(`Written to ${options.chromeTrace}`);
  }
});

/** What was promised and how often it was kept; nothing without targets. */
function attainmentRows(
  { sloTtft, sloTpot, sloE2e }: SimulateOptions,
  workload: Workload,
  { outcomes, endSeconds }: SimulationResult,
): [string, string][] {
  const targets: SloTargets = {
    ...(sloTtft !== undefined && { ttftSeconds: sloTtft }),
    ...(sloTpot !== undefined && { tpotSeconds: sloTpot }),
    ...(sloE2e !== undefined && { e2eSeconds: sloE2e }),
  };
  if (Object.keys(targets).length === 0) return [];
  const kept = measureSloAttainment(workload, outcomes, targets, endSeconds);
  const rows: [string, string][] = [];
  if (sloTtft !== undefined) rows.push([`ttft <= ${sloTtft} s`, show(kept.ttftFraction)]);
  if (sloTpot !== undefined) rows.push([`tpot <= ${sloTpot} s`, show(kept.tpotFraction)]);
  if (sloE2e !== undefined) rows.push([`e2e <= ${sloE2e} s`, show(kept.e2eFraction)]);
  rows.push(["all targets met", show(kept.allFraction)]);
  rows.push(["goodput requests per second", show(kept.goodputPerSecond)]);
  return rows;
}

function parseSeconds(text: string): number {
  const seconds = text.trim() === "" ? NaN : Number(text);
  if (seconds > 0 && seconds < Infinity) return seconds;
  throw new UsageError(
    `Cannot read a latency target: it must be seconds > 0, current value is ${
      JSON.stringify(text)
    }`,
  );
}

function show(value: number | null | ArrayLike<number>): string {
  if (value === null) return "none";
  if (typeof value !== "number") return Array.from(value, (share) => share.toFixed(3)).join(" ");
  return Number.isInteger(value) ? String(value) : value.toPrecision(5);
}
