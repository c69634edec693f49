// deno-lint-ignore-file no-console
/**
 * `deno task compare`: runs policies on the same held-out arrivals and prints a table.
 *
 * @module
 */
import { Command, Option } from "commander";
import { UsageError } from "../support/mod.ts";
import {
  baselineLadder,
  type EvaluationSplit,
  evaluationSplits,
  openScenario,
} from "../training/mod.ts";
import { parseArguments, parsePositive, parseSeeds } from "./_arguments.ts";
import { runComparison } from "./_comparison.ts";
import { writeComparison } from "./_comparison_report.ts";
import { baselinesTable, policiesTable, printableTable } from "./_comparison_table.ts";
import {
  addExperimentOptions,
  describeScenario,
  type ExperimentOptions,
  loadExperiment,
} from "./_experiment_options.ts";
import { withInterrupts } from "./_interrupt.ts";
import { checkNewFolder } from "./_output_files.ts";
import { findPolicies, type Sampling } from "./_policies.ts";
import { runCommand } from "./_run_command.ts";
import { addSloOptions, type SloOptions, withSlos } from "./_slo_options.ts";

interface CompareOptions extends ExperimentOptions, SloOptions {
  readonly policies: string;
  readonly reference: string;
  readonly split: EvaluationSplit;
  readonly seeds?: readonly number[];
  readonly requests?: number;
  readonly sampling?: readonly Sampling[];
  readonly out?: string;
}

const program = addSloOptions(addExperimentOptions(new Command("compare")))
  .description("Compares policies on the same held-out arrivals")
  .option(
    "--policies <list>",
    "separated by commas: routers, shipped policies (ppo, ppo:mixed), ppo:CHECKPOINT, and several " +
      "training seeds of one policy as ppo:A+ppo:B or LABEL=PATH+PATH, where * stands for any part of a name (ppo=runs/x/seed-*)",
    baselineLadder.join(","),
  )
  .option("--reference <name>", "the policy that all others are compared with", "least_outstanding")
  .addOption(
    new Option("--split <name>", "which held-out arrivals: test to report, validation to tune")
      .choices(evaluationSplits).default("test"),
  )
  .option("--seeds <list>", "arrival seeds, e.g. 1,2,5-9 (default: evaluation.seeds)", parseSeeds)
  .option(
    "--requests <n>",
    "requests a run (default: evaluation.requests)",
    parsePositive("--requests"),
  )
  .option(
    "--sampling <list>",
    "how trained policies act: greedy, sampled or both (default: evaluation.sampling)",
    parseSamplings,
  )
  .option(
    "--out <folder>",
    "new folder for requests.parquet, comparisons.parquet, plots and report.html",
  );

await runCommand(async (args) => {
  const options = parseArguments(program, args).opts<CompareOptions>();
  const { reference, split, out } = options;
  if (out !== undefined) checkNewFolder("--out", out);
  const config = await loadExperiment(options);
  const { evaluation } = config;
  const scenario = await openScenario({
    ...config,
    evaluation: {
      seeds: [...options.seeds ?? evaluation.seeds],
      requests: options.requests ?? evaluation.requests,
      sampling: [...options.sampling ?? evaluation.sampling],
    },
  }, { forTraining: false });
  const found = await findPolicies(
    scenario,
    options.policies,
    scenario.config.evaluation.sampling,
  );
  const labels = [...new Set(found.entries.map(({ label }) => label))];
  if (
    !found.entries.some(({ label, trainingSeed }) => label === reference && trainingSeed === null)
  ) {
    throw new UsageError(
      `Cannot compare: --reference must be one of --policies (${
        labels.join(", ")
      }) that was not trained, current value is ${JSON.stringify(reference)}`,
    );
  }
  const comparison = await withInterrupts((signal) =>
    runComparison(scenario, found, {
      reference,
      split,
      signal,
      promise: (workload) => withSlos(workload, options),
    })
  );
  console.log(printableTable(policiesTable(comparison)));
  if (comparison.againstBaselines.size > 0) {
    console.log(printableTable(baselinesTable(comparison)));
  }
  if (comparison.unfinishedCount > 0) {
    console.log(`warning: ${comparison.unfinishedCount} requests were never completed`);
  }
  if (out === undefined) return;
  const { seeds, requests } = scenario.config.evaluation;
  const where = describeScenario(options);
  await writeComparison(out, scenario, comparison, {
    title: where.title,
    subtitle: `${where.text} ${seeds.length} runs of ${requests} requests (${split}, seeds ` +
      `${seeds.join(", ")}).`,
    split,
  });
  console.log(`Written to ${out}`);
});

function parseSamplings(text: string): Sampling[] {
  const modes = [...new Set(text.split(","))];
  const isSampling = (mode: string): mode is Sampling => mode === "greedy" || mode === "sampled";
  if (modes.every(isSampling)) return modes;
  throw new UsageError(
    `Cannot read --sampling: it must be greedy, sampled or both separated by a comma, current value is ${
      JSON.stringify(text)
    }`,
  );
}
