/** The tables that `deno task train --export` writes. */
import { type ExperimentConfig, hashConfig } from "../config/mod.ts";
import { type ExportFormat, MetricsExporter } from "../metrics/mod.ts";
import { UsageError } from "../support/mod.ts";
import { trainingRow, trainingTableSchema, type Trial } from "../sweep/mod.ts";
import {
  type DecisionRecord,
  decisionRow,
  decisionsSchema,
  rolloutRow,
  rolloutsSchema,
  type UpdateRecord,
} from "../training/mod.ts";

const TABLES = {
  decisions: decisionsSchema,
  updates: trainingTableSchema,
  rollouts: rolloutsSchema,
};

/** A training run as a trial, as tables name it. */
export function trialOf(config: ExperimentConfig): Pick<Trial, "id" | "label" | "config"> {
  return { id: hashConfig(config), label: "ppo", config };
}

/** Writes decisions, updates and rollouts of a run to `<out>/export/`. */
export class RunExport {
  readonly #out: string;
  readonly #config: ExperimentConfig;
  readonly #formats: readonly ExportFormat[];
  #exporter: MetricsExporter<typeof TABLES> | undefined;
  #decisions: ReturnType<typeof decisionRow>[] = [];

  constructor(out: string, config: ExperimentConfig, formats: readonly ExportFormat[]) {
    this.#out = out;
    this.#config = config;
    this.#formats = formats;
  }

  /**
   * Opens the tables, new (`lastUpdate` 0) or to go on with after an update.
   *
   * @throws {UsageError} When they do not reach up to that update.
   */
  async open(lastUpdate: number): Promise<void> {
    this.#exporter ??= await MetricsExporter.open(TABLES, {
      folder: exportFolder(this.#out),
      formats: this.#formats,
      lastUpdate,
    });
  }

  /** Takes in a decision of the rollout under way. */
  addDecision(record: DecisionRecord): void {
    this.#decisions.push(decisionRow(record));
  }

  /** Writes what belongs to an update. */
  async add(record: UpdateRecord): Promise<void> {
    const decisions = this.#decisions;
    this.#decisions = [];
    const exporter = this.#exporter!;
    await exporter.append("decisions", decisions);
    await exporter.append("updates", [trainingRow(trialOf(this.#config), record)]);
    await exporter.append("rollouts", [rolloutRow(record)]);
  }

  /** Checks and finishes the tables. */
  async close(): Promise<void> {
    await this.#exporter?.close();
  }
}

/**
 * The formats in which a run to be resumed was exported so far.
 *
 * @param asked Those of the command line.
 * @throws {UsageError} When others are asked for.
 */
export async function resumedFormats(
  out: string,
  asked: readonly ExportFormat[] | undefined,
): Promise<readonly ExportFormat[]> {
  const names = new Set<string>();
  try {
    for await (const { name } of Deno.readDir(exportFolder(out))) names.add(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const found: ExportFormat[] = [];
  if (names.has("updates.csv") || names.has("updates.csv.partial")) found.push("csv");
  if (names.has("updates")) found.push("parquet");
  if (asked !== undefined && asked.join() !== found.join()) {
    throw new UsageError(
      `Cannot resume: --export must be what the run began with (${
        found.join(" and ") || "nothing"
      }) or left out, current value is ${asked.join(" and ")}`,
    );
  }
  return found;
}

function exportFolder(out: string): string {
  return `${out}/export`;
}
