// deno-lint-ignore-file no-console
/**
 * `deno task demos`: collects demonstrations of routers, and looks after what was collected.
 *
 * @module
 */
import { Command } from "commander";
import {
  collectDemonstrations,
  type DemonstrationManifest,
  listDemonstrations,
  readDemonstrations,
  removeDemonstrations,
} from "../pretraining/mod.ts";
import { openScenario } from "../training/mod.ts";
import { parseNumbers, parsePositive, runSubcommand } from "./_arguments.ts";
import {
  addExperimentOptions,
  type ExperimentOptions,
  loadExperiment,
} from "./_experiment_options.ts";
import { withInterrupts } from "./_interrupt.ts";
import { checkFolder } from "./_output_files.ts";
import { runCommand } from "./_run_command.ts";
import { textTable } from "./_text_table.ts";

interface CollectCommandOptions extends ExperimentOptions {
  readonly out: string;
  readonly routers: string;
  readonly rates: readonly number[];
  readonly episodes: number;
  readonly requests?: number;
}

interface CleanOptions {
  readonly all?: boolean;
  readonly yes?: boolean;
}

const program = new Command("demos").description(
  "Demonstrations of routers, for deno task pretrain",
);
addExperimentOptions(program.command("collect"))
  .description("Simulates routers and writes what they saw and did")
  .requiredOption("--out <folder>", "new folder for demonstrations.parquet and demonstrations.json")
  .option("--routers <list>", "separated by commas", "least_outstanding")
  .option(
    "--rates <list>",
    "multiples of the configured arrival rate, separated by commas",
    parseNumbers("--rates"),
    [0.5, 1, 2],
  )
  .option(
    "--episodes <n>",
    "simulations of every router at every rate",
    parsePositive("--episodes"),
    3,
  )
  .option(
    "--requests <n>",
    "requests a simulation (default: training.episodeRequests)",
    parsePositive("--requests"),
  )
  .action(collect);
program.command("info").argument("<folder>").description("Checks a dataset and describes it")
  .action(info);
program.command("list").argument("<folder>").description("Lists the datasets right below a folder")
  .action(list);
program.command("clean").argument("<folder>")
  .description("Deletes the datasets right below a folder that cannot be used")
  .option("--all", "delete the usable ones too")
  .option("--yes", "delete; without it, only say what would be deleted")
  .action(clean);

await runCommand((args) => runSubcommand(program, args));

async function collect(options: CollectCommandOptions): Promise<void> {
  const { out, routers, rates: rateScales, episodes, requests } = options;
  checkFolder("--out", out, { empty: true });
  const scenario = await openScenario(await loadExperiment(options));
  const manifest = await withInterrupts((signal) =>
    collectDemonstrations(scenario, out, {
      routers: routers.split(",").map((name) => name.trim()),
      rateScales,
      episodes,
      requests,
      signal,
      onEpisode: ({ router, rateScale, decisionCount }, index, count) =>
        console.log(`${index}/${count}  ${router} at ${rateScale} x: ${decisionCount} decisions`),
    })
  );
  console.log(
    `Saved ${manifest.decisionCount} decisions in ${out}; clone them with: deno task pretrain --data ${out} --out runs/pretrained`,
  );
}

async function info(folder: string): Promise<void> {
  const { manifest, actions, episodeRows } = await readDemonstrations(folder);
  const { decisionCount, featureNames, replicaCount, schemaHash, seed, config } = manifest;
  console.log(
    `${decisionCount} decisions, ${featureNames.length} features (layout ${config.state.layout}, schema ${schemaHash}), ${replicaCount} replicas, seed ${seed}`,
  );
  const groups = Map.groupBy(
    manifest.episodes.map((episode, e) => ({ ...episode, begin: episodeRows[e]! })),
    ({ router, rateScale }) => `${router} at ${rateScale}`,
  );
  const rows = [...groups.values()].map((episodes) => {
    const { router, rateScale, hasScores } = episodes[0]!;
    const counts = new Array<number>(replicaCount).fill(0);
    for (const { begin, decisionCount } of episodes) {
      for (let row = begin; row < begin + decisionCount; row++) counts[actions[row]!]!++;
    }
    const decisions = counts.reduce((sum, count) => sum + count, 0);
    return [
      router,
      String(rateScale),
      String(episodes.length),
      String(decisions),
      hasScores ? "yes" : "no",
      counts.map((count) => (100 * count / decisions).toFixed(0)).join(" "),
    ];
  });
  const head = ["router", "rate x", "episodes", "decisions", "scores", "share of replicas %"];
  console.log(textTable(head, rows));
}

async function list(folder: string): Promise<void> {
  const folders = await listDemonstrations(folder);
  const rows = folders.map(({ path, sizeBytes, manifest, problem }) => [
    path,
    `${(sizeBytes / 1e6).toFixed(1)} MB`,
    manifest === undefined ? `unusable: ${problem}` : summary(manifest),
  ]);
  console.log(rows.length === 0 ? "no datasets" : textTable(["folder", "size", "content"], rows));
}

async function clean(folder: string, { all = false, yes = false }: CleanOptions): Promise<void> {
  const folders = await listDemonstrations(folder);
  const doomed = folders.filter(({ manifest }) => all || manifest === undefined);
  for (const dataset of doomed) {
    const { path, manifest, problem } = dataset;
    const what = `${path} (${manifest === undefined ? problem : summary(manifest)})`;
    if (!yes) console.log(`would delete ${what}`);
    else if (await removeDemonstrations(dataset)) console.log(`deleted ${what}`);
    else console.log(`deleted the files of ${what}; the folder holds others and stays`);
  }
  const kept = folders.length - doomed.length;
  console.log(`${doomed.length} to delete, ${kept} to keep${yes ? "" : "; --yes deletes"}`);
}

function summary({ episodes, decisionCount }: DemonstrationManifest): string {
  const routers = [...new Set(episodes.map(({ router }) => router))].join(", ");
  return `${decisionCount} decisions of ${routers}`;
}
