// deno-lint-ignore-file no-console
/**
 * How does a policy do on clusters that it was not trained on? Runs it on clusters of 2 to 16
 * replicas and on every scenario, at 75 % of their capacities, beside heuristics on the same
 * arrivals, and prints a table in Markdown.
 *
 * Run with: deno run -A experiments/zero_shot.ts [--policy ppo:mixed] [--out zero_shot.md]
 *
 * @module
 */
import {
  canonicalJson,
  type ExperimentConfig,
  parseExperimentConfig,
} from "@signalbox/signalbox/config";
import {
  DEFAULT_LOAD,
  getScenario,
  scenarioNames,
  scenarioSettings,
  sizeScenarioNames,
} from "@signalbox/signalbox/scenarios";
import type { Interval } from "@signalbox/signalbox/stats";
import { UsageError, writeFileAtomic } from "@signalbox/signalbox/support";
import {
  type EvaluationSplit,
  evaluationSplits,
  openScenario,
  type TrainedPolicy,
} from "@signalbox/signalbox/training";
import { Command, Option } from "commander";
import { parseArguments, parsePositive, parseSeeds } from "../lib/cli/_arguments.ts";
import { runComparison } from "../lib/cli/_comparison.ts";
import { withInterrupts } from "../lib/cli/_interrupt.ts";
import { checkOutputFile } from "../lib/cli/_output_files.ts";
import { findPolicies } from "../lib/cli/_policies.ts";
import { runCommand } from "../lib/cli/_run_command.ts";

/** Whom the policy is compared with; the first is the reference. */
const BASELINES = ["least_outstanding", "lor_tbt", "speed_weighted_lor"];

interface ZeroShotOptions {
  readonly policy: string;
  readonly scenarios: string;
  readonly split: EvaluationSplit;
  readonly seeds: number[];
  readonly requests: number;
  readonly out?: string;
}

const program = new Command("zero_shot")
  .description("Compares a policy with heuristics on clusters that it was not trained on")
  .option("--policy <name>", "a shipped policy (ppo, ppo:mixed) or ppo:CHECKPOINT", "ppo:general")
  .option(
    "--scenarios <list>",
    "separated by commas",
    [...sizeScenarioNames, ...scenarioNames].join(","),
  )
  .addOption(
    new Option("--split <name>", "which held-out arrivals: test to report, validation to tune")
      .choices(evaluationSplits).default("test"),
  )
  .option("--seeds <list>", "arrival seeds", parseSeeds, [1, 2, 3, 4, 5])
  .option("--requests <n>", "requests a run", parsePositive("--requests"), 2000)
  .option("--out <file>", "also write the table to this file");

await runCommand(async (args) => {
  const options = parseArguments(program, args).opts<ZeroShotOptions>();
  if (options.out !== undefined) checkOutputFile("--out", options.out);
  const lines = [
    `| cluster at ${DEFAULT_LOAD} % | replicas | trained on | mean E2E | p99 E2E | ` +
    `${BASELINES.map((name) => `mean E2E vs \`${name}\` [95 %]`).join(" | ")} | ` +
    `p99 E2E vs \`${BASELINES[0]}\` [95 %] |`,
    `| --- | --: | --- | --: | --: | ${BASELINES.map(() => "--:").join(" | ")} | --: |`,
  ];
  await withInterrupts(async (signal) => {
    for (const name of options.scenarios.split(",")) {
      lines.push(await compareOn(name, options, signal));
      console.error(lines.at(-1));
    }
  });
  const table = `${lines.join("\n")}\n`;
  console.log(table);
  if (options.out !== undefined) await writeFileAtomic(options.out, table);
});

/** The row of one scenario. */
async function compareOn(
  name: string,
  { policy, split, seeds, requests }: ZeroShotOptions,
  signal: AbortSignal,
): Promise<string> {
  const settings = scenarioSettings(getScenario(name), DEFAULT_LOAD);
  const config = parseExperimentConfig({ ...settings, evaluation: { seeds, requests } });
  const scenario = await openScenario(config);
  const found = await findPolicies(scenario, [...BASELINES, policy].join(","), ["greedy"]);
  const [trained, ...others] = found.groups.flatMap(({ members }) => members);
  if (trained === undefined || others.length > 0) {
    throw new UsageError(
      `Cannot compare: --policy must be one trained policy, current value is ${policy}`,
    );
  }
  const { againstBaselines, unfinishedCount } = await runComparison(scenario, found, {
    reference: BASELINES[0]!,
    split,
    signal,
    promise: (workload) => workload,
  });
  const isTrainedOn = isAmongTasks(trained, config);
  trained.policy.dispose();
  if (unfinishedCount > 0) console.error(`warning: ${unfinishedCount} requests never completed`);
  const comparisons = BASELINES.map((baseline) => againstBaselines.get(baseline)![0]!);
  const { e2eMean, e2eP99 } = comparisons[0]!;
  return `| ${
    [
      `\`${name}\``,
      scenario.replicas.length,
      isTrainedOn ? "yes" : "no",
      `${e2eMean.candidate.estimate.toFixed(2)} s`,
      `${e2eP99.candidate.estimate.toFixed(1)} s`,
      ...comparisons.map((comparison) => percent(comparison.e2eMean.relative)),
      percent(e2eP99.relative),
    ].join(" | ")
  } |`;
}

/** Whether the cluster, its requests and incidents were among what the policy was trained on. */
function isAmongTasks(
  { config: own }: TrainedPolicy,
  config: ExperimentConfig,
): boolean {
  const identify = (task: Pick<ExperimentConfig, "cluster" | "workload" | "incidents">) =>
    canonicalJson([task.cluster, { ...task.workload, ratePerSecond: null }, task.incidents]);
  const { mixture } = own.training;
  const tasks = mixture.length === 0 ? [own] : mixture.map((entry) => ({
    cluster: entry.cluster ?? own.cluster,
    workload: entry.workload ?? own.workload,
    incidents: entry.incidents ?? own.incidents,
  }));
  return tasks.some((task) => identify(task) === identify(config));
}

function percent({ estimate, low, high }: Interval): string {
  const [mean, from, to] = [estimate, low, high].map((share) =>
    `${share > 0 ? "+" : ""}${(100 * share).toFixed(1)}`
  );
  return `${mean} % [${from}, ${to}]`;
}
