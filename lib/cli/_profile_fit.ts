// deno-lint-ignore-file no-console
/** `deno task profile fit`. */
import type { Command } from "commander";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { getGpu, getModel } from "../hardware/mod.ts";
import { UsageError } from "../support/mod.ts";
import {
  fitBundleProfile,
  fitVidurProfile,
  PROFILE_METHOD,
  type ProfileDegree,
  profileFileName,
  type ProfileFitOptions,
  type VidurProfileFiles,
  writeProfile,
} from "../timing/mod.ts";
import { parseNumbers, parsePositive } from "./_arguments.ts";
import { attentionText, errorText } from "./_profile_list.ts";
import { textTable } from "./_text_table.ts";

interface FitOptions {
  readonly gpu: string;
  readonly model: string;
  readonly out: string;
  readonly attention?: string;
  readonly source: string;
  readonly licence: string;
  readonly knots: number;
  readonly tolerance: readonly number[];
  readonly degrees: readonly number[];
}

/** Adds the sub-command that makes a profile of measured tables. */
export function addFitCommand(program: Command): void {
  program.command("fit")
    .description(
      "Makes a profile of measured tables: Vidur's (mlp.csv and, where there are, attention.csv, " +
        "all_reduce.csv, send_recv.csv, cpu_overheads.csv) or LLMServingSim's (dense.csv, " +
        "per_sequence.csv, attention.csv, skew_fit.csv)",
    )
    .argument("<folders...>", "where the tables are; of a table that is in several, the first")
    .requiredOption("--gpu <name>", "kind of GPU, a name of the hardware catalogue")
    .requiredOption("--model <name>", "model, a name of the hardware catalogue")
    .requiredOption("--out <folder>", "where the profile goes, as <gpu>_<model>.json")
    .option("--attention <file>", "attention.csv of Vidur's format under another name")
    .option("--source <text>", "whose measurements these are", "own measurements")
    .option("--licence <text>", "licence of the measurements", "not stated")
    .option(
      "--knots <n>",
      "most knots of a matrix product; others get half",
      parsePositive("--knots"),
      16,
    )
    .option(
      "--tolerance <share>",
      "90th percentile of relative errors that is good enough",
      parseNumbers("--tolerance"),
      [0.02],
    )
    .option(
      "--degrees <list>",
      "tensor-parallel degrees of a bundle of LLMServingSim",
      parseNumbers("--degrees"),
      [1],
    )
    .action(fit);
}

async function fit(folders: readonly string[], options: FitOptions): Promise<void> {
  const { gpu, model, out, source, licence, knots, tolerance } = options;
  getGpu(gpu);
  getModel(model);
  const path = join(out, profileFileName(gpu, model));
  if (existsSync(path)) throw new UsageError(`Cannot write the profile: ${path} exists already`);
  if (knots < 4) {
    throw new UsageError(`Cannot fit: --knots must be >= 4, current value is ${knots}`);
  }
  const { tables, degrees } = await fitTables(folders, options, {
    maxKnots: knots,
    tolerance: tolerance[0]!,
  });
  await writeProfile(out, {
    format: "signalbox-profile",
    version: 1,
    kind: "tables",
    gpu,
    model,
    source,
    licence,
    tables,
    method: PROFILE_METHOD,
    degrees,
  });
  const rows = degrees.map((degree) => [
    String(degree.tensorParallel),
    errorText(degree.layerError),
    attentionText(degree),
  ]);
  console.log(textTable(["tensorParallel", "layer %", "attention %"], rows));
  console.log(
    `Written to ${path}; use it with: --set 'cluster.timer={"kind":"profile","files":["${path}"]}'`,
  );
}

async function fitTables(
  folders: readonly string[],
  options: FitOptions,
  fitOptions: ProfileFitOptions,
): Promise<{ tables: string[]; degrees: ProfileDegree[] }> {
  const find = (name: string): string | undefined =>
    folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  const bundle = folders.find((folder) =>
    existsSync(join(folder, "dense.csv")) || existsSync(join(folder, "tp1", "dense.csv"))
  );
  if (bundle !== undefined) {
    const degrees: ProfileDegree[] = [];
    for (const degree of options.degrees) {
      degrees.push(await fitBundleProfile(bundle, degree, fitOptions));
    }
    return { tables: [bundle], degrees };
  }
  const mlp = find("mlp.csv");
  if (mlp === undefined) {
    throw new UsageError(
      `Cannot fit: there is no mlp.csv and no dense.csv in ${folders.join(", ")}`,
    );
  }
  const files: Record<keyof VidurProfileFiles, string | undefined> = {
    mlp,
    attention: options.attention ?? find("attention.csv"),
    allReduce: find("all_reduce.csv"),
    sendRecv: find("send_recv.csv"),
    cpuOverheads: find("cpu_overheads.csv"),
  };
  const present = Object.entries(files).filter(([, path]) => path !== undefined);
  const degrees = await fitVidurProfile(
    { mlp, ...Object.fromEntries(present) },
    getModel(options.model),
    fitOptions,
  );
  return { tables: present.map(([, path]) => path!), degrees };
}
