// deno-lint-ignore-file no-console
/**
 * `deno task reproduce`: trains and compares everything in the README's table of results.
 *
 * @module
 */
import { Command } from "commander";
import { learnedRouting } from "../../experiments/learned_routing.ts";
import { type ExpandedStudy, expandStudy, type StudyCell } from "../study/mod.ts";
import { runTrials, type TrialsResult } from "../sweep/mod.ts";
import { parseArguments, parsePositive } from "./_arguments.ts";
import { finishStudy, type StudyOutputs } from "./_finish_study.ts";
import { withResume } from "./_interrupt.ts";
import { runCommand } from "./_run_command.ts";
import { describePlan, minutes } from "./_study_plan.ts";
import { createProgressDisplay } from "./_sweep_progress.ts";

interface ReproduceOptions {
  readonly out: string;
  readonly jobs: number;
  readonly only?: readonly string[];
  readonly quick?: true;
  readonly resume?: true;
  readonly dryRun?: true;
}

const program = new Command("reproduce")
  .description("Trains and compares everything in the README's table of results")
  .requiredOption(
    "--out <folder>",
    "new or empty folder for results.md, report.html, plots, a folder a cell, and the trials",
  )
  .option("--jobs <n>", "workers at a time", parsePositive("--jobs"), navigator.hardwareConcurrency)
  .option(
    "--only <list>",
    `scenarios to keep, separated by commas: ${Object.keys(learnedRouting.cells).join(", ")}`,
    (list) => list.split(","),
  )
  .option("--quick", "a small version, under a minute: real training, too short for the targets")
  .option("--resume", "finish the interrupted run in --out (same --only and --quick as then)")
  .option("--dry-run", "print what would be run and how long it takes, and write nothing");

await runCommand(async (args) => {
  const options = parseArguments(program, args).opts<ReproduceOptions>();
  const { quick = false, only, out } = options;
  const expanded = expandStudy(learnedRouting, { quick, ...(only && { only }) });
  for (const line of describePlan(expanded, options.jobs)) console.log(line);
  if (options.dryRun) return;
  const begun = performance.now();
  const { failures, outputs } = await run(expanded, options, args);
  console.log(outputs.text);
  console.log(`Written to ${out} in ${minutes((performance.now() - begun) / 1000)}`);
  const lost = [
    ...failures.map(({ trial, error }) => `${nameOf(trial)} seed ${trial.seed}: ${error.message}`),
    ...outputs.failures,
  ];
  for (const line of lost) console.error(`failed: ${line}`);
  if (lost.length === 0) return;
  console.error(`--resume --out ${out} tries again; cells with a failed trial are left out`);
  Deno.exitCode = 1;
});

async function run(
  expanded: ExpandedStudy,
  { out, jobs, resume }: ReproduceOptions,
  args: readonly string[],
): Promise<TrialsResult<StudyOutputs>> {
  const display = createProgressDisplay();
  const command = ["deno task reproduce", ...args].join(" ");
  try {
    return await withResume(out, (signal) =>
      runTrials(expanded.sweep, {
        out,
        jobs,
        resume: resume ?? false,
        signal,
        facts: { command },
        onEvent: (event) =>
          display.show("trial" in event ? { ...event, trial: renamed(event.trial) } : event),
      }, (finished) => {
        display.stop();
        const command = commandOf(args);
        return finishStudy(learnedRouting, expanded, finished, { out, jobs, signal, command });
      }));
  } finally {
    display.stop();
  }
}

/** The command as it is to be repeated: what only steers the run is left out. */
function commandOf(args: readonly string[]): string {
  const { quick, only } = parseArguments(program, args).opts<ReproduceOptions>();
  return [
    "deno task reproduce --out DIR",
    ...(only === undefined ? [] : [`--only ${only.join(",")}`]),
    ...(quick ? ["--quick"] : []),
  ].join(" ");
}

function nameOf({ cell, label }: StudyCell["trials"][number]): string {
  return `${cell.scenario} ${cell.load} %: ${label}`;
}

/** A trial with the name of its cell, for lines of progress. */
function renamed(trial: StudyCell["trials"][number]): StudyCell["trials"][number] {
  return { ...trial, label: nameOf(trial) };
}
