// deno-lint-ignore-file no-console
/**
 * `deno task simulate`: runs one workload through one policy and prints what happened.
 *
 * @module
 */
import Table from "cli-table3";
import { Command } from "commander";
import {
  BatchDistributions,
  BatchesFile,
  OperationMeter,
  operationsSchema,
  ParquetWriter,
  requestRows,
  requestsSchema,
  summarizeRequests,
  summaryColumns,
  tableFromRows,
  TokenGapMeter,
  UtilizationMeter,
  writeParquet,
} from "../metrics/mod.ts";
import { ChromeTrace } from "../simulator/mod.ts";
import { UsageError } from "../support/mod.ts";
import { evaluatePolicies, openScenario, StateDump } from "../training/mod.ts";
import {
  parseArguments,
  parseIndices,
  parsePositive,
  parseSeconds,
  parseSeed,
} from "./_arguments.ts";
import { distributionTable } from "./_distribution_table.ts";
import {
  addExperimentOptions,
  type ExperimentOptions,
  loadExperiment,
} from "./_experiment_options.ts";
import { timerLines } from "./_hardware_options.ts";
import { withInterrupts } from "./_interrupt.ts";
import { checkOutputFile } from "./_output_files.ts";
import { findPolicy } from "./_policies.ts";
import { runCommand } from "./_run_command.ts";
import { addSloOptions, attainmentRows, type SloOptions, withSlos } from "./_slo_options.ts";
import { TextFileWriter } from "./_text_file_writer.ts";
import { operationKindTable, operationTable, utilizationTable } from "./_utilization_table.ts";

interface SimulateOptions extends ExperimentOptions, SloOptions {
  readonly policy: string;
  readonly seed: number;
  readonly requests?: number;
  readonly timeLimit?: number;
  readonly out?: string;
  readonly operations?: true;
  readonly operationsOut?: string;
  readonly distributions?: true;
  readonly batches?: string;
  readonly chromeTrace?: string;
  readonly dumpState?: string;
  readonly dumpDecisions?: readonly number[];
}

/** Options that name files, as they are typed. */
const OUTPUT_FLAGS = {
  out: "--out",
  operationsOut: "--operations-out",
  batches: "--batches",
  chromeTrace: "--chrome-trace",
  dumpState: "--dump-state",
} as const;

/** What is dumped unless something else is asked for. */
const FIRST_DECISIONS = Array.from({ length: 10 }, (_, decision) => decision);

const program = addSloOptions(addExperimentOptions(new Command("simulate")))
  .description("Simulates one run and prints its latencies, rates and use of the replicas")
  .option(
    "--router, --policy <name>",
    "who routes: a router, a shipped policy (ppo, ppo:mixed) or ppo:CHECKPOINT",
    "least_outstanding",
  )
  .option("--seed <n>", "arrival seed", parseSeed, 1)
  .option("--requests <n>", "requests (default: evaluation.requests)", parsePositive("--requests"))
  .option("--time-limit <s>", "simulated time to stop at", parseSeconds("--time-limit"))
  .option("--out <file>", "also write one row a request to this Parquet file")
  .option("--operations", "also print what each replica spends its time on")
  .option("--operations-out <file>", "also write them to this Parquet file, a row an operation")
  .option("--distributions", "also print how times between tokens and batches are distributed")
  .option("--batches <file>", "also write one row a batch and stage to this Parquet file")
  .option("--chrome-trace <file>", "also write a timeline for Perfetto to this JSON file")
  .option(
    "--dump-state <file>",
    "also write what a policy sees to this file, one JSON object a line",
  )
  .option(
    "--dump-decisions <list>",
    "with --dump-state: decisions of the run, e.g. 0,10,500-509 (default: the first ten)",
    parseIndices("--dump-decisions"),
  );

await runCommand(async (args) => {
  const options = parseArguments(program, args).opts<SimulateOptions>();
  for (const option of ["out", "operationsOut", "batches", "chromeTrace", "dumpState"] as const) {
    const path = options[option];
    if (path !== undefined) checkOutputFile(OUTPUT_FLAGS[option], path);
  }
  if (options.dumpDecisions !== undefined && options.dumpState === undefined) {
    throw new UsageError("Cannot simulate: --dump-decisions must be given with --dump-state");
  }
  const config = await loadExperiment(options);
  const requests = options.requests ?? config.evaluation.requests;
  const scenario = await openScenario({
    ...config,
    evaluation: { ...config.evaluation, requests, seeds: [options.seed] },
  }, { forTraining: false });
  const found = await findPolicy(scenario, options.policy);
  using dumpFile = options.dumpState === undefined
    ? undefined
    : new TextFileWriter(options.dumpState);
  const dump = dumpFile && new StateDump({
    state: config.state,
    decisions: new Set(options.dumpDecisions ?? FIRST_DECISIONS),
    write: (record) => dumpFile.write(`${JSON.stringify(record)}\n`),
  });
  const entry = dump?.watch(found) ?? found;
  const meter = new UtilizationMeter(scenario.replicas);
  const operations = options.operations || options.operationsOut !== undefined
    ? new OperationMeter(scenario.replicas)
    : undefined;
  const tokenGaps = options.distributions && new TokenGapMeter(requests);
  const distributions = options.distributions && new BatchDistributions(scenario.replicas);
  using batches = options.batches === undefined ? undefined : new BatchesFile(options.batches);
  using traceFile = options.chromeTrace === undefined
    ? undefined
    : new TextFileWriter(options.chromeTrace);
  const trace = traceFile &&
    new ChromeTrace(scenario.replicas, (text) => traceFile.write(text));
  const observers = [meter, operations, tokenGaps, distributions, batches, trace, dump]
    .filter((observer) => observer !== undefined);
  const runs = await withInterrupts((signal) =>
    evaluatePolicies(scenario, [entry], {
      observers,
      signal,
      timeLimitSeconds: options.timeLimit ?? Infinity,
    })
  );
  const { result, evaluationSeed, label } = runs[0]!;
  const workload = withSlos(runs[0]!.workload, options);
  const table = new Table({ style: { head: [], border: [], compact: true } });
  table.push(
    { policy: label },
    { workload: workload.name },
    { "simulated seconds": result.endSeconds.toFixed(2) },
    { batches: String(result.batchCount) },
    ...Object.entries(summaryColumns(summarizeRequests(workload, result, scenario.replicas.length)))
      .map(([name, value]) => ({ [name.replaceAll("_", " ")]: show(value) })),
  );
  for (const [name, value] of attainmentRows(workload, result)) {
    table.push({ [name]: show(value) });
  }
  console.log(table.toString());
  console.log(timerLines(scenario.replicas));
  console.log(utilizationTable(scenario.replicas, meter.summarize(result.endSeconds)));
  if (options.operations) {
    console.log(operationKindTable(operations!.summarize()));
    console.log(operationTable(operations!.summarize()));
  }
  if (tokenGaps !== undefined) {
    console.log(distributionTable({
      "time between tokens, s": tokenGaps.gaps,
      "batch duration, s": distributions!.seconds,
      "requests/batch": distributions!.requests,
      "tokens/batch": distributions!.tokens,
      "prompt tokens/batch": distributions!.prefillTokens,
      "decodes/batch": distributions!.decodeTokens,
    }));
  }
  if (options.out !== undefined) {
    const labels = { trialId: "simulate", policy: label, trainingSeed: null, evaluationSeed };
    await using writer = await ParquetWriter.create(options.out, requestsSchema);
    await writer.append(requestRows(labels, workload, result.outcomes));
    await writer.close();
    console.log(`Written to ${options.out}`);
  }
  if (options.operationsOut !== undefined) {
    await writeParquet(
      options.operationsOut,
      tableFromRows(operationsSchema, operations!.summarize()),
    );
    console.log(`Written to ${options.operationsOut}`);
  }
  if (batches !== undefined) {
    await batches.close();
    console.log(`Written to ${options.batches}`);
  }
  if (traceFile !== undefined) {
    trace!.end();
    traceFile.close();
    console.log(`Written to ${options.chromeTrace}`);
  }
  if (dumpFile !== undefined) {
    dumpFile.close();
    console.log(`Written to ${options.dumpState}`);
  }
});

function show(value: number | null | ArrayLike<number>): string {
  if (value === null) return "none";
  if (typeof value !== "number") return Array.from(value, (share) => share.toFixed(3)).join(" ");
  return Number.isInteger(value) ? String(value) : value.toPrecision(5);
}
