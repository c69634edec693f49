// deno-lint-ignore-file no-console
/**
 * `deno task train`: trains one policy, prints one line an update, saves it.
 *
 * @module
 */
import { Command } from "commander";
import { Rng } from "../random/mod.ts";
import { tableFromRows, writeParquet } from "../metrics/mod.ts";
import { UsageError, writeFileAtomic } from "../support/mod.ts";
import { trainingRows, trainingTableSchema } from "../sweep/mod.ts";
import {
  openScenario,
  policyCheckpoint,
  saveCheckpoint,
  trainPolicy,
  type UpdateRecord,
  useSimdBackend,
} from "../training/mod.ts";
import { hashConfig } from "../config/mod.ts";
import { parseArguments } from "./_arguments.ts";
import {
  addExperimentOptions,
  type ExperimentOptions,
  loadExperiment,
} from "./_experiment_options.ts";
import { withInterrupts } from "./_interrupt.ts";
import { runCommand } from "./_run_command.ts";

interface TrainOptions extends ExperimentOptions {
  readonly out: string;
}

const program = addExperimentOptions(new Command("train"))
  .description("Trains one policy and saves it with its experiment and training curve")
  .requiredOption("--out <folder>", "new folder for checkpoint, config.json and training.parquet");

await runCommand(async (args) => {
  const options = parseArguments(program, args).opts<TrainOptions>();
  const config = await loadExperiment(options);
  const scenario = await openScenario(config);
  await makeNewFolder(options.out);
  await writeFileAtomic(`${options.out}/config.json`, `${JSON.stringify(config, null, 2)}\n`);
  await useSimdBackend();
  const updates: UpdateRecord[] = [];
  const trained = await withInterrupts((signal) =>
    trainPolicy(scenario, {
      rng: new Rng(config.seed),
      signal,
      onUpdate: (record) => {
        updates.push(record);
        console.log(updateLine(record));
      },
    })
  );
  const { update, decisions } = updates.at(-1)!;
  const path = await saveCheckpoint(options.out, policyCheckpoint(trained, { update, decisions }), {
    keepLast: 1,
  });
  trained.policy.dispose();
  const trial = { id: hashConfig(config), label: "ppo", config };
  const table = tableFromRows(trainingTableSchema, trainingRows(trial, updates));
  await writeParquet(`${options.out}/training.parquet`, table);
  console.log(
    `Saved ${path}; compare it with: deno task compare --config ${options.out}/config.json --policies least_outstanding,ppo:${path}`,
  );
});

/** Creates a folder that must not hold anything yet. */
async function makeNewFolder(out: string): Promise<void> {
  await Deno.mkdir(out, { recursive: true });
  for await (const _entry of Deno.readDir(out)) {
    throw new UsageError(
      `Cannot write to ${out}: --out must be a new or empty folder, current folder is not empty`,
    );
  }
}

function updateLine({ update, updateCount, decisions, stats, ...record }: UpdateRecord): string {
  const { reward, latencyMeanSeconds } = record;
  return [
    `update ${update}/${updateCount}`,
    `decisions ${decisions}`,
    `mean E2E ${latencyMeanSeconds === null ? "none" : `${latencyMeanSeconds.toFixed(2)} s`}`,
    `reward ${reward.reward.toFixed(4)}`,
    `policy loss ${stats.policyLoss.toFixed(4)}`,
    `value loss ${stats.valueLoss.toFixed(4)}`,
    `entropy ${stats.entropy.toFixed(3)}`,
    `KL ${stats.approxKl.toFixed(4)}`,
    `clipped ${(100 * stats.clipFraction).toFixed(0)} %`,
    `explained ${stats.explainedVariance.toFixed(2)}`,
  ].join("  ");
}
