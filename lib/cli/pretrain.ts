// deno-lint-ignore-file no-console
/**
 * `deno task pretrain`: clones demonstrations into a policy, prints one line an epoch, saves it.
 *
 * @module
 */
import { Command } from "commander";
import { applyAssignments, type ExperimentConfig } from "../config/mod.ts";
import {
  type Agreement,
  type PretrainedPolicy,
  type PretrainingEpoch,
  pretrainingSchema,
  pretrainPolicy,
  readDemonstrations,
} from "../pretraining/mod.ts";
import { Rng } from "../random/mod.ts";
import { parseConfig, UsageError, writeFileAtomic } from "../support/mod.ts";
import { policyCheckpoint, saveCheckpoint, useSimdBackend } from "../training/mod.ts";
import { collectNumber, givenOptions, parseArguments } from "./_arguments.ts";
import {
  addExperimentOptions,
  EXPERIMENT_OPTIONS,
  type ExperimentOptions,
  loadExperiment,
} from "./_experiment_options.ts";
import { withInterrupts } from "./_interrupt.ts";
import { checkFolder } from "./_output_files.ts";
import { runCommand } from "./_run_command.ts";
import { textTable } from "./_text_table.ts";

/** Options that are keys of the pretraining configuration. */
const CONFIG_OPTIONS = [
  "targets",
  "temperature",
  "temperatures",
  "weights",
  "validationShare",
  "epochs",
  "patience",
  "batchSize",
  "sequenceLength",
  "learningRate",
] as const;

interface PretrainCommandOptions extends ExperimentOptions {
  readonly data: string;
  readonly out: string;
}

const program = addExperimentOptions(new Command("pretrain"))
  .description(
    "Clones routers into a policy; the experiment is that of the demonstrations unless --config " +
      "gives another",
  )
  .requiredOption("--data <folder>", "demonstrations of deno task demos collect")
  .requiredOption("--out <folder>", "new folder for the checkpoint and pretraining.json")
  .option("--targets <kind>", `soft or hard; ${describe("targets")}`)
  .option("--temperature <number>", describe("temperature"), Number)
  .option(
    "--router-temperature <router=number>",
    `repeatable; ${describe("temperatures")}`,
    collectNumber("--router-temperature"),
  )
  .option(
    "--weight <router=number>",
    `repeatable; ${describe("weights")}`,
    collectNumber("--weight"),
  )
  .option("--validation-share <number>", describe("validationShare"), Number)
  .option("--epochs <n>", describe("epochs"), Number)
  .option("--patience <n>", describe("patience"), Number)
  .option("--batch-size <n>", describe("batchSize"), Number)
  .option("--sequence-length <n>", describe("sequenceLength"), Number)
  .option("--learning-rate <number>", describe("learningRate"), Number);

await runCommand(async (args) => {
  const options = parseArguments(program, args).opts<PretrainCommandOptions>();
  const { data, out } = options;
  const config = parseConfig(pretrainingSchema, pretrainingOptions(options), "pretraining");
  checkFolder("--out", out, { empty: true });
  const demonstrations = await readDemonstrations(data);
  const experiment = await findExperiment(options, demonstrations.manifest.config);
  await useSimdBackend();
  const result = await withInterrupts((signal) =>
    pretrainPolicy(experiment, demonstrations, {
      config,
      rng: new Rng(experiment.seed).stream("pretraining"),
      signal,
      onEpoch: (epoch) => console.log(epochLine(epoch, config.epochs)),
    })
  );
  const { trained, epochs, bestEpoch, stoppedEarly, agreements } = result;
  await saveCheckpoint(out, policyCheckpoint(trained, { update: 0, decisions: 0 }), {
    keepLast: 1,
  });
  trained.policy.dispose();
  const report = {
    pretraining: config,
    demonstrationsSha256: demonstrations.manifest.sha256,
    bestEpoch,
    stoppedEarly,
    agreements: Object.fromEntries(agreements),
    epochs,
  };
  await writeFileAtomic(`${out}/pretraining.json`, `${JSON.stringify(report, null, 2)}\n`);
  await writeFileAtomic(`${out}/config.json`, `${JSON.stringify(experiment, null, 2)}\n`);
  console.log(`Best: epoch ${bestEpoch}${stoppedEarly ? ", stopped early" : ""}`);
  console.log(agreementTable(result));
  console.log(
    `Saved in ${out}; train from it with: deno task train --config ${out}/config.json --init ${out} --out runs/warm`,
  );
});

/** Keys of the configuration that were given, under their names. */
function pretrainingOptions(options: PretrainCommandOptions): Record<string, unknown> {
  const { routerTemperature: temperatures, weight: weights, ...rest } =
    options as unknown as Record<
      string,
      unknown
    >;
  const given = Object.entries({ ...rest, temperatures, weights })
    .filter(([key, value]) =>
      value !== undefined && (CONFIG_OPTIONS as readonly string[]).includes(key)
    );
  return Object.fromEntries(given);
}

/** `--config` with what goes with it, or the demonstrations' experiment with `--set`. */
async function findExperiment(
  options: PretrainCommandOptions,
  collected: ExperimentConfig,
): Promise<ExperimentConfig> {
  if (options.config !== undefined) return await loadExperiment(options);
  const other = givenOptions(program)
    .find((option) => EXPERIMENT_OPTIONS.includes(option.attributeName()));
  if (other !== undefined) {
    throw new UsageError(
      `Cannot pretrain: ${other.long} must be given with --config, without it the experiment is ` +
        "that of the demonstrations, changed by --set",
    );
  }
  return applyAssignments(collected, options.set ?? []);
}

function describe(key: typeof CONFIG_OPTIONS[number]): string {
  const schema = pretrainingSchema.shape[key];
  return `${schema.description} (default: ${JSON.stringify(schema.parse(undefined))})`;
}

function epochLine(epoch: PretrainingEpoch, epochs: number): string {
  const { trainingLoss, validationLoss, agreement, isBest } = epoch;
  return [
    `epoch ${epoch.epoch}/${epochs}`,
    `training loss ${trainingLoss.toFixed(4)}`,
    `validation loss ${validationLoss.toFixed(4)}`,
    `agreement ${percent(agreement.agreement)}`,
    `tie-free ${percent(agreement.tieFreeAgreement)}`,
    ...(isBest ? ["best"] : []),
  ].join("  ");
}

function agreementTable({ agreements }: PretrainedPolicy): string {
  const head = ["router", "held-out decisions", "agreement", "tie-free decisions", "agreement"];
  const rows = [...agreements].map(([router, agreement]: [string, Agreement]) => [
    router,
    String(agreement.decisionCount),
    percent(agreement.agreement),
    String(agreement.tieFreeCount),
    percent(agreement.tieFreeAgreement),
  ]);
  return textTable(head, rows);
}

function percent(share: number | null): string {
  return share === null ? "none" : `${(100 * share).toFixed(1)} %`;
}
