/** Options of every command that works on one experiment. */
import { type Command, createCommand, Option } from "commander";
import { basename, resolve } from "node:path";
import {
  applyAssignments,
  type Assignment,
  type ExperimentConfig,
  hashConfig,
  isRecord,
  parseExperimentConfig,
  type PresetName,
  presetNames,
} from "../config/mod.ts";
import {
  DEFAULT_LOAD,
  getScenario,
  scenarioLoads,
  scenarioNames,
  scenarioSettings,
} from "../scenarios/mod.ts";
import { UsageError } from "../support/mod.ts";
import { collectAssignment, traceAssignments } from "./_arguments.ts";
import {
  addHardwareOptions,
  hardwareAssignments,
  type HardwareOptions,
} from "./_hardware_options.ts";

/** What {@linkcode addExperimentOptions} adds. */
export interface ExperimentOptions extends HardwareOptions {
  /** Set of defaults. */
  readonly preset?: PresetName;
  /** JSON file. */
  readonly config?: string;
  /** Named cluster, traffic and incidents. */
  readonly scenario?: string;
  /** Percent of the scenario's capacity. */
  readonly load?: number;
  /** Keys to set. */
  readonly set?: readonly Assignment[];
  /** Trace to replay. */
  readonly trace?: string;
}

/**
 * Adds `--preset`, `--config`, `--scenario`, `--load`, `--set`, `--trace` and those of the hardware.
 */
export function addExperimentOptions(program: Command): Command {
  return addHardwareOptions(program)
    .addOption(
      new Option("--preset <name>", "the defaults under everything else (default: default)")
        .choices(presetNames),
    )
    .option("--config <file>", "JSON file with an experiment; every key may be left out")
    .option(
      "--scenario <name>",
      `cluster, workload and incidents of data/scenarios: ${scenarioNames.join(", ")}`,
    )
    .option(
      "--load <percent>",
      `with --scenario: percent of its capacity, ${
        scenarioLoads.join(", ")
      } (default: ${DEFAULT_LOAD})`,
      Number,
    )
    .option(
      "--set <path=value>",
      "set a configuration key; repeatable. Values are JSON or plain text",
      collectAssignment,
    )
    .option("--trace <file>", "replay this trace instead of the configured workload");
}

/** Options that say which experiment, by their names in a program; `--set` changes one. */
export const EXPERIMENT_OPTIONS: readonly string[] = addExperimentOptions(createCommand())
  .options.map((option) => option.attributeName()).filter((name) => name !== "set");

/**
 * The experiment that the options describe.
 *
 * @throws {UsageError} When the file cannot be read or is not JSON, or names another preset.
 * @throws {ConfigError} When a key is unknown or a value not allowed.
 */
export async function loadExperiment(options: ExperimentOptions): Promise<ExperimentConfig> {
  const { config: file, set = [], trace, preset } = options;
  const written = file === undefined ? {} : await readJson(file);
  if (!isRecord(written)) return parseExperimentConfig(written);
  if (preset !== undefined) refuseSettled(written, preset);
  const input = preset === undefined ? written : { ...written, preset };
  const base = parseExperimentConfig(input);
  const settings = scenarioAssignments(options);
  const workload = settings.find(({ path }) => path === "workload")?.value ?? base.workload;
  const replay = trace === undefined ? [] : traceAssignments(resolve(trace), workload);
  return applyAssignments(
    base,
    [...settings, ...replay, ...await hardwareAssignments(options), ...set],
    input.preset as PresetName | undefined,
  );
}

/** Where an experiment plays, for the head of a page. */
export function describeScenario(
  { scenario, load = DEFAULT_LOAD, config, trace }: ExperimentOptions,
): { readonly title: string; readonly text: string } {
  const replayed = trace === undefined ? "" : ` The requests are of the trace ${basename(trace)}.`;
  if (scenario === undefined) {
    const from = config === undefined ? "the defaults" : basename(config);
    return { title: "Policies compared", text: `The experiment of ${from}.${replayed}` };
  }
  const { description } = getScenario(scenario);
  return {
    title: `${scenario.replaceAll("_", " ")} at ${load} %`,
    text: `${description}${replayed} ${load} % of the capacity under least_outstanding.`,
  };
}

/** Puts a scenario in the place of what the file says. */
function scenarioAssignments({ scenario, load }: ExperimentOptions): Assignment[] {
  if (scenario === undefined) {
    if (load === undefined) return [];
    throw new UsageError("Cannot set a load: --load must be given with --scenario");
  }
  const settings = scenarioSettings(getScenario(scenario), load ?? DEFAULT_LOAD);
  return Object.entries(settings).map(([path, value]) => ({ path, value }));
}

/** A file that settles everything, such as a run's config.json, would hide the preset unnoticed. */
function refuseSettled(written: Record<string, unknown>, preset: PresetName): void {
  const { preset: named, ...keys } = written;
  const [first, ...others] = presetNames.map((name) =>
    hashConfig(parseExperimentConfig({ ...keys, preset: name }))
  );
  if ((named ?? preset) === preset && others.some((other) => other !== first)) return;
  throw new UsageError(
    `Cannot use --preset ${preset}: the file of --config must leave the choice open, it ` +
      (named === undefined ? "gives every key" : `names ${JSON.stringify(named)}`),
  );
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(file));
  } catch (error) {
    const reason = error instanceof SyntaxError
      ? `it must be JSON (${error.message})`
      : `the file cannot be read (${(error as Error).message})`;
    throw new UsageError(`Cannot load ${file}: ${reason}`);
  }
}
