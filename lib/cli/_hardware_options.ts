/** Options that say what is simulated on what, and where batch times come from. */
import { type Command, Option } from "commander";
import { basename, dirname, resolve } from "node:path";
import type { Assignment } from "../config/mod.ts";
import { parseHuggingFaceConfig } from "../hardware/mod.ts";
import type { ReplicaSpec } from "../simulator/mod.ts";
import { UsageError } from "../support/mod.ts";

/** What {@linkcode addHardwareOptions} adds. */
export interface HardwareOptions {
  /** A `config.json` of Hugging Face. */
  readonly modelConfig?: string;
  /** GPUs of one's own. */
  readonly gpuSpec?: string;
  /** Kind of timer. */
  readonly timer?: string;
  /** Profiles of one's own. */
  readonly profile?: readonly string[];
}

/** Adds `--model-config`, `--gpu-spec`, `--timer` and `--profile`. */
export function addHardwareOptions(program: Command): Command {
  return program
    .option("--model-config <file>", "serve the model of this config.json of Hugging Face")
    .option(
      "--gpu-spec <file>",
      "JSON with a GPU, or a list of them, to name in cluster.replicas: see cluster.gpus of " +
        "deno task config --schema",
    )
    .addOption(
      new Option("--timer <kind>", "where batch times come from (default: cluster.timer)")
        .choices(["analytic", "auto", "profile"]),
    )
    .option(
      "--profile <file>",
      "time batches by this profile of deno task profile fit or calibrate; repeatable",
      (file: string, before: readonly string[] = []) => [...before, resolve(file)],
    );
}

/**
 * Keys that the options set, in order.
 *
 * @throws {UsageError} When a file cannot be read or is not JSON, or the options contradict.
 * @throws {ConfigError} When a model is of a kind that is not simulated.
 */
export async function hardwareAssignments(options: HardwareOptions): Promise<Assignment[]> {
  const { modelConfig, gpuSpec, timer, profile } = options;
  const assignments: Assignment[] = [];
  if (modelConfig !== undefined) {
    const config = await readJsonFile("--model-config", modelConfig);
    const stated = (config as { _name_or_path?: unknown } | null)?._name_or_path;
    // A repository's clone has the model's name as its folder's.
    const name = stated ? undefined : basename(dirname(resolve(modelConfig)));
    const model = parseHuggingFaceConfig(config, name);
    assignments.push(
      { path: "cluster.models", value: [model as unknown as Assignment["value"]] },
      { path: "cluster.model", value: model.name },
    );
  }
  if (gpuSpec !== undefined) {
    const value = await readJsonFile("--gpu-spec", gpuSpec);
    assignments.push({ path: "cluster.gpus", value: Array.isArray(value) ? value : [value] });
  }
  if (timer === "analytic" && profile !== undefined) {
    throw new UsageError(
      "Cannot use --profile with --timer analytic: one of them must be left out",
    );
  }
  if (timer !== undefined || profile !== undefined) {
    const kind = timer ?? "profile";
    const value = { kind, ...(profile !== undefined && { files: profile }) };
    assignments.push({ path: "cluster.timer", value });
  }
  return assignments;
}

async function readJsonFile(option: string, file: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(file));
  } catch (error) {
    throw new UsageError(`Cannot read ${option} ${file}: ${(error as Error).message}`);
  }
}

/** One line for each kind of timer among the replicas: which have it, what it is, its error. */
export function timerLines(replicas: readonly ReplicaSpec[]): string {
  const groups = Map.groupBy(
    replicas.map(({ timer }, replica) => ({ replica, text: timer.description ?? "unnamed timer" })),
    ({ text }) => text,
  );
  return [...groups].map(([text, members]) => {
    const indices = members.map(({ replica }) => replica).join(", ");
    return `timer of replica${members.length > 1 ? "s" : ""} ${indices}: ${text}`;
  }).join("\n");
}
