/** Options of every command that works on one experiment. */
import type { Command } from "commander";
import { resolve } from "node:path";
import {
  applyAssignments,
  type Assignment,
  type ExperimentConfig,
  parseExperimentConfig,
} from "../config/mod.ts";
import { UsageError } from "../support/mod.ts";
import { collectAssignment, traceAssignments } from "./_arguments.ts";

/** What {@linkcode addExperimentOptions} adds. */
export interface ExperimentOptions {
  /** JSON file. */
  readonly config?: string;
  /** Keys to set. */
  readonly set?: readonly Assignment[];
  /** Trace to replay. */
  readonly trace?: string;
}

/** Adds `--config`, `--set` and `--trace`. */
export function addExperimentOptions(program: Command): Command {
  return program
    .option("--config <file>", "JSON file with an experiment; every key may be left out")
    .option(
      "--set <path=value>",
      "set a configuration key; repeatable. Values are JSON or plain text",
      collectAssignment,
    )
    .option("--trace <file>", "replay this trace instead of the configured workload");
}

/**
 * The experiment that the options describe.
 *
 * @throws {UsageError} When the file cannot be read or is not JSON.
 * @throws {ConfigError} When a key is unknown or a value not allowed.
 */
export async function loadExperiment(options: ExperimentOptions): Promise<ExperimentConfig> {
  const { config: file, set = [], trace } = options;
  const base = parseExperimentConfig(file === undefined ? {} : await readJson(file));
  const replay = trace === undefined ? [] : traceAssignments(resolve(trace), base.workload);
  return applyAssignments(base, [...replay, ...set]);
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
