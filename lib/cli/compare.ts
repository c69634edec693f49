// deno-lint-ignore-file no-console
/**
 * `deno task compare`: runs policies on the same held-out arrivals and prints a table.
 *
 * @module
 */
import { Command } from "commander";
import {
  comparePolicies,
  requestRows,
  requestsSchema,
  type SloAttainment,
  TableBuilder,
  writeParquet,
} from "../metrics/mod.ts";
import { Rng } from "../random/mod.ts";
import { routerNames } from "../routing/mod.ts";
import { UsageError } from "../support/mod.ts";
import { evaluatePolicies, openScenario } from "../training/mod.ts";
import { parseArguments, parsePositive, parseSeeds } from "./_arguments.ts";
import { comparisonTable } from "./_comparison_table.ts";
import {
  addExperimentOptions,
  type ExperimentOptions,
  loadExperiment,
} from "./_experiment_options.ts";
import { withInterrupts } from "./_interrupt.ts";
import { checkOutputFile } from "./_output_files.ts";
import { findPolicy } from "./_policies.ts";
import { runCommand } from "./_run_command.ts";
import { addSloOptions, attainmentOf, type SloOptions, withSlos } from "./_slo_options.ts";

interface CompareOptions extends ExperimentOptions, SloOptions {
  readonly policies: string;
  readonly reference: string;
  readonly seeds?: readonly number[];
  readonly requests?: number;
  readonly out?: string;
}

const program = addSloOptions(addExperimentOptions(new Command("compare")))
  .description("Compares policies on the same held-out arrivals")
  .option(
    "--policies <list>",
    "routers and ppo:CHECKPOINT, separated by commas",
    routerNames.join(","),
  )
  .option("--reference <name>", "the policy that differences are taken to", "least_outstanding")
  .option("--seeds <list>", "arrival seeds, e.g. 1,2,5-9 (default: evaluation.seeds)", parseSeeds)
  .option(
    "--requests <n>",
    "requests a run (default: evaluation.requests)",
    parsePositive("--requests"),
  )
  .option("--out <file>", "also write one row a request to this Parquet file");

await runCommand(async (args) => {
  const options = parseArguments(program, args).opts<CompareOptions>();
  if (options.out !== undefined) checkOutputFile("--out", options.out);
  const config = await loadExperiment(options);
  const { evaluation } = config;
  const scenario = await openScenario({
    ...config,
    evaluation: {
      ...evaluation,
      seeds: [...options.seeds ?? evaluation.seeds],
      requests: options.requests ?? evaluation.requests,
    },
  });
  const names = [...new Set(options.policies.split(","))];
  if (!names.includes(options.reference)) {
    throw new UsageError(
      `Cannot compare: --reference must be one of --policies (${
        names.join(", ")
      }), current value is ${JSON.stringify(options.reference)}`,
    );
  }
  const entries = await Promise.all(names.map((name) => findPolicy(scenario, name)));
  const runs = await withInterrupts((signal) => evaluatePolicies(scenario, entries, { signal }));
  const requests = new TableBuilder(requestsSchema);
  const attainments = new Map<string, SloAttainment[]>();
  for (const { label: policy, evaluationSeed, workload: fed, result } of runs) {
    const workload = withSlos(fed, options);
    const kept = attainmentOf(workload, result);
    if (kept) attainments.set(policy, [...attainments.get(policy) ?? [], kept]);
    const labels = { trialId: "compare", policy, trainingSeed: null, evaluationSeed };
    for (const row of requestRows(labels, workload, result.outcomes)) requests.append(row);
  }
  const table = requests.finish();
  const comparisons = comparePolicies(table, options.reference, new Rng(0).stream("bootstrap"));
  console.log(comparisonTable(comparisons, options.reference, attainments));
  if (options.out !== undefined) {
    await writeParquet(options.out, table);
    console.log(`Written to ${options.out}`);
  }
});
