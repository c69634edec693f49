// deno-lint-ignore-file no-console
/**
 * `deno task sweep FILE`: runs an experiment file's trials in parallel and leaves tables, charts and
 * a report.
 *
 * @module
 */
import { Command } from "commander";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Assignment } from "../config/mod.ts";
import { UsageError } from "../support/mod.ts";
import {
  type ExpandedSweep,
  expandSweep,
  isSweepDefinition,
  runSweep,
  type SweepDefinition,
  type SweepResult,
} from "../sweep/mod.ts";
import {
  collectAssignment,
  parseArguments,
  parsePositive,
  parseSeeds,
  traceAssignments,
} from "./_arguments.ts";
import { policiesTable, printableTable } from "./_comparison_table.ts";
import { withResume } from "./_interrupt.ts";
import { runCommand } from "./_run_command.ts";
import { createProgressDisplay } from "./_sweep_progress.ts";

interface SweepOptions {
  readonly out?: string;
  readonly jobs: number;
  readonly seeds?: readonly number[];
  readonly set?: readonly Assignment[];
  readonly trace?: string;
  readonly quick?: true;
  readonly dryRun?: true;
  readonly resume?: true;
  readonly arrow?: true;
}

const program = new Command("sweep")
  .description("Runs an experiment: trains and compares policies, leaves tables, charts, a report")
  .argument("<file>", "experiment file, e.g. experiments/reward_modes.ts")
  .option("--out <folder>", "output folder, new or empty (default: runs/<name>-<time>)")
  .option("--jobs <n>", "trials at a time", parsePositive("--jobs"), navigator.hardwareConcurrency)
  .option("--seeds <list>", "training seeds in place of the file's, e.g. 1,2,5-9", parseSeeds)
  .option(
    "--set <path=value>",
    "set a configuration key in every trial; repeatable. Values are JSON or plain text",
    collectAssignment,
  )
  .option("--trace <file>", "replay this trace: train on its first part, compare on its last")
  .option("--quick", "the experiment's small version: about a minute, still real training")
  .option("--dry-run", "print the trials and write nothing")
  .option("--resume", "finish the interrupted run in --out (same options as then)")
  .option("--arrow", "write the tables as Arrow IPC files too");

await runCommand(async (args) => {
  const parsed = parseArguments(program, args);
  const options = parsed.opts<SweepOptions>();
  const file = parsed.args[0]!;
  const sweep = expand(await loadDefinition(file), options);
  if (options.dryRun) {
    printTrials(sweep);
    return;
  }
  if (options.resume && options.out === undefined) {
    throw new UsageError("Cannot resume: --out must name the folder of the interrupted run");
  }
  const out = options.out ?? `runs/${sweep.name}-${timestamp()}`;
  const result = await run(sweep, out, options, args);
  printResult(sweep, result, out);
});

/** Imports an experiment file. */
async function loadDefinition(file: string): Promise<SweepDefinition> {
  const path = resolve(file);
  const info = await Deno.stat(path).catch(() => undefined);
  if (info?.isFile !== true) throw new UsageError(`Cannot load ${file}: there is no such file`);
  if (!/\.m?[jt]s$/.test(path)) {
    throw new UsageError(`Cannot load ${file}: it must be a module (.ts, .mts, .js or .mjs)`);
  }
  const module = await import(pathToFileURL(path).href) as { readonly default?: unknown };
  if (!isSweepDefinition(module.default)) {
    throw new UsageError(
      `Cannot load ${file}: its default export must be what defineSweep() returns`,
    );
  }
  return module.default;
}

function expand(definition: SweepDefinition, options: SweepOptions): ExpandedSweep {
  const { quick = false, seeds, set = [], trace } = options;
  const replay = trace === undefined
    ? []
    : traceAssignments(resolve(trace), definition.base.workload);
  return expandSweep(definition, {
    quick,
    set: [...replay, ...set],
    ...(seeds === undefined ? {} : { seeds }),
  });
}

async function run(
  sweep: ExpandedSweep,
  out: string,
  options: SweepOptions,
  args: readonly string[],
): Promise<SweepResult> {
  const display = createProgressDisplay();
  try {
    return await withResume(out, (signal) =>
      runSweep(sweep, {
        out,
        signal,
        jobs: options.jobs,
        resume: options.resume ?? false,
        arrow: options.arrow ?? false,
        facts: { command: `sweep ${args.join(" ")}` },
        onEvent: (event) => display.show(event),
      }));
  } finally {
    display.stop();
  }
}

function printTrials({ name, trials }: ExpandedSweep): void {
  console.log(`${name}: ${trials.length} trials`);
  for (const { id, label, seed } of trials) {
    console.log(`${id}  ${label}${seed === null ? "" : `  seed ${seed}`}`);
  }
}

function printResult(sweep: ExpandedSweep, { failures, outputs }: SweepResult, out: string): void {
  for (const { title, comparisons, reference } of outputs?.scenarios ?? []) {
    if (title !== "") console.log(title);
    console.log(printableTable(policiesTable({ comparisons, reference })));
  }
  console.log(`Written to ${out}`);
  for (const { trial, error } of failures) {
    const seed = trial.seed === null ? "" : ` seed ${trial.seed}`;
    console.error(`failed: ${trial.label}${seed} (${trial.id}): ${error.name}: ${error.message}`);
  }
  if (failures.length > 0) {
    console.error(
      `${failures.length} of ${sweep.trials.length} trials failed; --resume --out ${out} tries them again`,
    );
    Deno.exitCode = 1;
  }
}

/** `20260131-235959`, in local time. */
function timestamp(): string {
  const now = new Date();
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
}
