import type { ExperimentConfig } from "../config/mod.ts";
import { type ExportFormat, TensorBoardWriter } from "../metrics/mod.ts";
import type { RolloutBuffer } from "../ppo/mod.ts";
import { lockFolder, writeFileAtomic } from "../support/mod.ts";
import {
  addUpdateEvents,
  appendUpdate,
  countUpdates,
  type DecisionRecord,
  type UpdateRecord,
} from "../training/mod.ts";
import { Interrupted } from "./_interrupt.ts";
import { type Progress, progressFile, readProgress, writeProgress } from "./_progress_file.ts";
import { RunExport } from "./_run_export.ts";

/** Where the log of updates lies. */
export function updateLog(out: string): string {
  return `${out}/updates.jsonl`;
}

/** What a run of `deno task train` writes. */
export interface RunFilesOptions {
  /** Updates before this session. */
  readonly lastUpdate: number;
  /** Formats of the exported tables; none = no tables. */
  readonly formats: readonly ExportFormat[];
}

/**
 * What a training run leaves beside its checkpoints: `config.json`, `updates.jsonl`, TensorBoard's
 * curves, `progress.json` and the exported tables. A run that ends before its first update leaves
 * the folder as it was.
 */
export class RunFiles {
  readonly #out: string;
  readonly #config: ExperimentConfig;
  readonly #options: RunFilesOptions;
  readonly #lock: Disposable;
  readonly #before: Progress | undefined;
  readonly #export: RunExport | undefined;
  #progress: Progress;
  #events: TensorBoardWriter | undefined;
  #isFinished = false;

  private constructor(
    out: string,
    config: ExperimentConfig,
    options: RunFilesOptions,
    lock: Disposable,
    before: Progress | undefined,
  ) {
    this.#out = out;
    this.#config = config;
    this.#options = options;
    this.#lock = lock;
    this.#before = before;
    const { formats } = options;
    this.#export = formats.length === 0 ? undefined : new RunExport(out, config, formats);
    const { environments } = config.training;
    const decisionsPerUpdate = environments * config.ppo.rolloutLength;
    const updateCount = countUpdates({ config });
    const now = new Date().toISOString();
    const decisions = options.lastUpdate * decisionsPerUpdate;
    this.#progress = {
      format: 1,
      status: "running",
      error: null,
      update: options.lastUpdate,
      updateCount,
      decisions,
      decisionCount: updateCount * decisionsPerUpdate,
      begunAt: before?.begunAt ?? now,
      resumedAt: now,
      resumedDecisions: decisions,
      updatedAt: now,
    };
  }

  /**
   * Begins or goes on with a run; its folder belongs to this process from now on.
   *
   * @throws {UsageError} When another process works there, or tables to go on with end too early.
   */
  static async open(
    out: string,
    config: ExperimentConfig,
    options: RunFilesOptions,
  ): Promise<RunFiles> {
    const lock = await lockFolder(out);
    try {
      const files = new RunFiles(out, config, options, lock, await readProgress(out));
      if (options.lastUpdate > 0) await files.#export?.open(options.lastUpdate);
      await writeProgress(out, files.#progress);
      return files;
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** Takes in a decision of the rollout under way; undefined unless decisions are exported. */
  get addDecision(): ((record: DecisionRecord) => void) | undefined {
    const tables = this.#export;
    return tables && ((record) => tables.addDecision(record));
  }

  /** Writes an update and what it learnt from. */
  async add(record: UpdateRecord, rollout: RolloutBuffer): Promise<void> {
    this.#events ??= await this.#begin();
    appendUpdate(updateLog(this.#out), record);
    addUpdateEvents(this.#events, record, rollout);
    await this.#events.flush();
    await this.#export?.open(0);
    await this.#export?.add(record);
    const { update, decisions } = record;
    await this.#report({ update, decisions });
  }

  /**
   * Ends the session: completed, or with the error that ended it. Does nothing the second time.
   *
   * @throws {TypeError} When an exported table does not hold what was written to it.
   */
  async finish(error?: unknown): Promise<void> {
    if (this.#isFinished) return;
    this.#isFinished = true;
    using _lock = this.#lock;
    let outcome = outcomeOf(error);
    try {
      await this.#events?.close();
      await this.#export?.close();
    } catch (cause) {
      outcome = outcomeOf(error ?? cause);
      throw cause;
    } finally {
      if (error !== undefined && this.#events === undefined) await this.#leaveNothing();
      else await this.#report(outcome);
    }
  }

  async #report(change: Partial<Progress>): Promise<void> {
    this.#progress = { ...this.#progress, ...change, updatedAt: new Date().toISOString() };
    await writeProgress(this.#out, this.#progress);
  }

  /** Nothing was done: the folder is free again, or says what it said before. */
  async #leaveNothing(): Promise<void> {
    if (this.#before !== undefined) return await writeProgress(this.#out, this.#before);
    await Deno.remove(progressFile(this.#out));
    if (this.#options.lastUpdate === 0) await Deno.remove(`${this.#out}/.lock`);
  }

  /** The configuration, and a new event file: a resumed run adds one to those before it. */
  async #begin(): Promise<TensorBoardWriter> {
    const text = JSON.stringify(this.#config, null, 2);
    await writeFileAtomic(`${this.#out}/config.json`, `${text}\n`);
    const folder = `${this.#out}/tensorboard`;
    await Deno.mkdir(folder, { recursive: true });
    const writer = await TensorBoardWriter.create(folder, {
      nowSeconds: () => Date.now() / 1000,
      hostName: `signalbox.${Deno.pid}`,
    });
    writer.text("Run/Configuration", `    ${text.replaceAll("\n", "\n    ")}`, 0);
    writer.hparams(hyperParameters(this.#config));
    return writer;
  }
}

/** How a session ended. */
function outcomeOf(error: unknown): Pick<Progress, "status" | "error"> {
  if (error === undefined) return { status: "completed", error: null };
  if (error instanceof Interrupted) return { status: "interrupted", error: null };
  return { status: "failed", error: error instanceof Error ? error.message : String(error) };
}

/** What TensorBoard's table of runs compares. Source of the list: spec/scheduler.md section 14.1. */
function hyperParameters({ policy, reward, ppo, training }: ExperimentConfig) {
  return {
    policy: policy.kind,
    ...networkSize(policy),
    rewardMode: reward.mode,
    latencyWeight: reward.latencyWeight,
    loadBalanceWeight: reward.loadBalanceWeight,
    learningRate: ppo.learningRate,
    gamma: ppo.gamma,
    gaeLambda: ppo.gaeLambda,
    clipRatio: ppo.clipRatio,
    entropyCoef: ppo.entropyCoef,
    valueCoef: ppo.valueCoef,
    epochs: ppo.epochs,
    rolloutLength: ppo.rolloutLength,
    minibatchSize: ppo.minibatchSize,
    ...(ppo.maxGradNorm !== null && { maxGradNorm: ppo.maxGradNorm }),
    environments: training.environments,
  };
}

/** Its numbers, by the names of the configuration. */
function networkSize(policy: ExperimentConfig["policy"]): Record<string, number> {
  const entries = Object.entries(policy).filter(([, value]) => typeof value === "number");
  return Object.fromEntries(entries) as Record<string, number>;
}
