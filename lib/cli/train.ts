// deno-lint-ignore-file no-console
/**
 * `deno task train`: trains one policy, prints one line an update, saves it.
 *
 * @module
 */
import { Command, Option } from "commander";
import { resolve } from "node:path";
import { Rng } from "../random/mod.ts";
import { EXPORT_FORMATS, type ExportFormat, tableFromRows, writeParquet } from "../metrics/mod.ts";
import { UsageError } from "../support/mod.ts";
import { trainingRows, trainingTableSchema } from "../sweep/mod.ts";
import {
  type Checkpoint,
  loadCheckpoint,
  openScenario,
  rewindUpdates,
  trainPolicy,
  type UpdateRecord,
  useSimdBackend,
  type ValidationRecord,
} from "../training/mod.ts";
import { applyAssignments, type ExperimentConfig } from "../config/mod.ts";
import { givenOptions, parseArguments, parsePositive } from "./_arguments.ts";
import {
  addExperimentOptions,
  EXPERIMENT_OPTIONS,
  type ExperimentOptions,
  loadExperiment,
} from "./_experiment_options.ts";
import { withInterrupts } from "./_interrupt.ts";
import { mixtureAssignment } from "./_mixture_option.ts";
import { checkFolder } from "./_output_files.ts";
import { runCommand } from "./_run_command.ts";
import { resumedFormats, trialOf } from "./_run_export.ts";
import { RunFiles, updateLog } from "./_run_files.ts";

interface TrainOptions extends ExperimentOptions {
  readonly out: string;
  readonly checkpointEvery: number;
  readonly keep: number;
  readonly init?: string;
  readonly mixture?: string;
  readonly resume?: true;
  readonly fallBack?: true;
  readonly export?: ExportFormat | "both";
}

/** A run that begins, or goes on from a checkpoint. */
interface Start {
  readonly config: ExperimentConfig;
  readonly resume: Checkpoint | undefined;
  /** Updates before the checkpoint. */
  readonly updates: readonly UpdateRecord[];
  /** Formats of the exported tables. */
  readonly formats: readonly ExportFormat[];
}

/** What a checkpoint has settled. */
const SETTLED_OPTIONS = [...EXPERIMENT_OPTIONS, "init", "mixture"];

const program = addExperimentOptions(new Command("train"))
  .description("Trains one policy and saves it with its experiment and training curve")
  .requiredOption(
    "--out <folder>",
    "new folder for config.json, checkpoints, updates.jsonl, training.parquet and TensorBoard's files",
  )
  .option(
    "--checkpoint-every <n>",
    "updates from one checkpoint to the next",
    parsePositive("--checkpoint-every"),
    10,
  )
  .option(
    "--keep <n>",
    "newest checkpoints to keep; the best one is kept too",
    parsePositive("--keep"),
    5,
  )
  .option(
    "--init <checkpoint>",
    "begin with this policy (file or folder, e.g. of deno task pretrain) and stay near it; short " +
      "for --set training.initialPolicy=...",
  )
  .option(
    "--mixture <list>",
    "deal the simulations over these scenarios, each with a load or a range that every episode draws " +
      "its own from, e.g. mixed@50-90,two_speed@75; short for --set training.mixture=...",
  )
  .option("--resume", "go on from the newest checkpoint in --out, exactly where it was taken")
  .option("--fall-back", "with --resume: if the newest checkpoint is damaged, use an older one")
  .addOption(
    new Option(
      "--export <format>",
      "also write tables of all decisions, updates and rollouts to export/ in --out",
    ).choices([...EXPORT_FORMATS, "both"]),
  );

await runCommand(async (args) => {
  const options = parseArguments(program, args).opts<TrainOptions>();
  const { out, checkpointEvery: everyUpdates, keep: keepLast } = options;
  const { config, resume, updates: earlier, formats } = options.resume
    ? await findStart(options)
    : await makeStart(options);
  const scenario = await openScenario(config);
  await useSimdBackend();
  await Deno.mkdir(out, { recursive: true });
  const updates = [...earlier];
  const files = await RunFiles.open(out, config, { lastUpdate: resume?.update ?? 0, formats });
  try {
    const trained = await withInterrupts((signal) =>
      trainPolicy(scenario, {
        rng: new Rng(config.seed),
        signal,
        checkpoints: { folder: out, everyUpdates, keepLast },
        resume,
        onDecision: files.addDecision,
        onValidation: (record) => console.log(`  ${validationLine(record)}`),
        onUpdate: async (record, rollout) => {
          updates.push(record);
          console.log(updateLine(record));
          for (const { message } of record.warnings) console.log(`  warning: ${message}`);
          await files.add(record, rollout);
        },
      })
    );
    trained.policy.dispose();
    const table = tableFromRows(trainingTableSchema, trainingRows(trialOf(config), updates));
    await writeParquet(`${out}/training.parquet`, table);
    await files.finish();
  } catch (error) {
    await files.finish(error);
    throw error;
  }
  console.log(
    `Saved in ${out}; compare it with: deno task compare --config ${out}/config.json --policies least_outstanding,ppo:${out}`,
  );
});

async function makeStart(options: TrainOptions): Promise<Start> {
  if (options.fallBack) {
    throw new UsageError("Cannot train: --fall-back must be given with --resume");
  }
  const { init, mixture, out } = options;
  checkFolder("--out", out, { empty: true });
  const config = applyAssignments(await loadExperiment(options), [
    ...(init === undefined ? [] : [{ path: "training.initialPolicy", value: resolve(init) }]),
    ...(mixture === undefined ? [] : [mixtureAssignment(mixture)]),
  ]);
  return { config, resume: undefined, updates: [], formats: formatsOf(options) ?? [] };
}

/** The checkpoint of the folder with the keys given by `--set`; trainPolicy refuses what differs. */
async function findStart(options: TrainOptions): Promise<Start> {
  const { out, set = [], fallBack = false } = options;
  const other = givenOptions(program)
    .find((option) => SETTLED_OPTIONS.includes(option.attributeName()));
  if (other !== undefined) {
    throw new UsageError(
      `Cannot resume: ${other.long} must be left out, the checkpoint holds the experiment`,
    );
  }
  const { checkpoint, path, skipped } = await loadCheckpoint(out, { fallBack });
  for (const { message } of skipped) console.log(`warning: ${message}`);
  console.log(`Resuming after update ${checkpoint.update} from ${path}`);
  return {
    config: applyAssignments(checkpoint.config, set),
    resume: checkpoint,
    updates: await rewindUpdates(updateLog(out), checkpoint.update),
    formats: await resumedFormats(out, formatsOf(options)),
  };
}

function formatsOf({ export: format }: TrainOptions): readonly ExportFormat[] | undefined {
  return format === "both" ? EXPORT_FORMATS : format && [format];
}

function validationLine(
  { e2eMeanSeconds, e2eP99Seconds, ttftMeanSeconds }: ValidationRecord,
): string {
  return [
    `validation: mean E2E ${e2eMeanSeconds.toFixed(2)} s`,
    `p99 ${e2eP99Seconds.toFixed(2)} s`,
    `mean TTFT ${ttftMeanSeconds.toFixed(3)} s`,
  ].join("  ");
}

function updateLine({ update, updateCount, decisions, stats, ...record }: UpdateRecord): string {
  const { reward, latencyMeanSeconds, tailLatency, temperature } = record;
  return [
    `update ${update}/${updateCount}`,
    `decisions ${decisions}`,
    `mean E2E ${latencyMeanSeconds === null ? "none" : `${latencyMeanSeconds.toFixed(2)} s`}`,
    `p99 ${tailLatency === null ? "none" : `${tailLatency.cluster.p99Seconds.toFixed(2)} s`}`,
    `reward ${reward.reward.toFixed(4)}`,
    `policy loss ${stats.policyLoss.toFixed(4)}`,
    `value loss ${stats.valueLoss.toFixed(4)}`,
    `entropy ${stats.entropy.toFixed(3)}`,
    `KL ${stats.approxKl.toFixed(4)}`,
    `clipped ${(100 * stats.clipFraction).toFixed(0)} %`,
    `explained ${stats.explainedVariance.toFixed(2)}`,
    ...(stats.referenceKl === null ? [] : [`reference KL ${stats.referenceKl.toFixed(4)}`]),
    ...(temperature === 1 ? [] : [`temperature ${temperature.toFixed(2)}`]),
  ].join("  ");
}
