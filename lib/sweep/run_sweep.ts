/**
 * From trials to a finished output folder.
 *
 * @module
 */
import { canonicalJson } from "../config/mod.ts";
import { ConfigError, lockFolder, UsageError, writeFileAtomic } from "../support/mod.ts";
import { openScenario } from "../training/mod.ts";
import { hashInputs } from "./_input_files.ts";
import type { ExpandedSweep, Trial } from "./expand.ts";
import { createManifest, type Manifest, readManifest, type TrialTiming } from "./manifest.ts";
import { type SweepOutputs, writeOutputs } from "./write_outputs.ts";
import type { TrialProgress } from "./run_trial.ts";
import { finishedTrials, removeUnfinished } from "./trial_store.ts";
import { runPool, type WorkerFailure } from "./worker_pool.ts";

/** What a worker is sent. */
export interface TrialTask {
  /** The trial. */
  readonly trial: Trial;
  /** The `trials` folder. */
  readonly folder: string;
}

/** Something happened in a sweep. */
export type SweepEvent =
  | { readonly kind: "begun"; readonly pending: readonly Trial[]; readonly finishedCount: number }
  | { readonly kind: "started"; readonly trial: Trial; readonly attempt: number }
  | { readonly kind: "progress"; readonly trial: Trial; readonly progress: TrialProgress }
  | { readonly kind: "finished"; readonly trial: Trial; readonly seconds: number }
  | {
    readonly kind: "failed";
    readonly trial: Trial;
    readonly error: WorkerFailure;
    readonly final: boolean;
  }
  | { readonly kind: "merging" };

/** How trials are run. */
export interface RunTrialsOptions {
  /** Output folder. */
  readonly out: string;
  /** Workers at a time; the number of cores by default. */
  readonly jobs?: number;
  /** Go on where an interrupted run in `out` stopped. */
  readonly resume?: boolean;
  /** Hears what happens. */
  readonly onEvent?: (event: SweepEvent) => void;
  /** Stops the run; finished trials stay. */
  readonly signal?: AbortSignal | undefined;
  /** Facts about the run for the manifest, e.g. the command line. */
  readonly facts?: Readonly<Record<string, string>>;
  /** Starts a worker; one of this package's own by default. */
  readonly createWorker?: () => Worker;
}

/** How a sweep runs. */
export interface RunSweepOptions extends RunTrialsOptions {
  /** Also write the tables as Arrow IPC files. */
  readonly arrow?: boolean;
}

/** How trials ended. */
export interface TrialsResult<T> {
  /** Trials that failed after a retry; the outputs leave them out. */
  readonly failures: readonly { readonly trial: Trial; readonly error: WorkerFailure }[];
  /** What was made of the others. */
  readonly outputs: T;
}

/** How a sweep ended; its outputs are undefined when nothing could be compared. */
export type SweepResult = TrialsResult<SweepOutputs | undefined>;

/** Trials that are finished, and how long they took. */
export interface FinishedTrials {
  /** In the order of the sweep. */
  readonly trials: readonly Trial[];
  /** By trial id. */
  readonly timings: Readonly<Record<string, TrialTiming>>;
}

/**
 * Runs the trials of a sweep that are not finished yet and merges all of them into the output
 * folder. Every finished trial is on disk at once, so an interruption of any kind costs unfinished
 * trials only. Outputs are merged in the order of the trials and do not depend on the number of
 * workers or on interruptions, the manifest's timings aside.
 *
 * @throws {UsageError} When `out` holds something and `resume` is not set, or holds another sweep.
 * @throws {ConfigError} When a scenario cannot be built.
 * @throws {TraceError} When a trace cannot be read or used.
 * @throws The signal's reason when it fires.
 */
export function runSweep(sweep: ExpandedSweep, options: RunSweepOptions): Promise<SweepResult> {
  const { out, arrow = false, signal } = options;
  return runTrials(
    sweep,
    options,
    ({ trials }) => writeOutputs(sweep, trials, out, { arrow, signal }),
  );
}

/**
 * Runs trials as {@linkcode runSweep} does and makes something of one's own of them.
 *
 * @param merge Writes outputs from what the finished trials left in `out/trials/<trial id>`; the run
 *   counts as complete when it is done.
 * @throws As {@linkcode runSweep}; what `merge` throws.
 */
export async function runTrials<T>(
  sweep: ExpandedSweep,
  options: RunTrialsOptions,
  merge: (finished: FinishedTrials) => Promise<T>,
): Promise<TrialsResult<T>> {
  const { out, resume = false, signal, onEvent } = options;
  const jobs = options.jobs ?? navigator.hardwareConcurrency;
  const inputs = await checkInputs(sweep);
  const manifest = resume
    ? await readManifest(out, sweep, inputs)
    : await createManifest(sweep, inputs, options.facts ?? {});
  if (!resume) await refuseUsedFolder(out);
  signal?.throwIfAborted();

  const folder = `${out}/trials`;
  await Deno.mkdir(folder, { recursive: true });
  using _lock = await lockFolder(folder);
  await removeUnfinished(folder);
  if (!resume) await writeManifest(out, manifest);
  const finished = await finishedTrials(folder);
  const pending = sweep.trials.filter((trial) => !finished.has(trial.id));
  const tasks = pending.map((trial): TrialTask => ({ trial, folder }));
  onEvent?.({ kind: "begun", pending, finishedCount: sweep.trials.length - pending.length });

  const timings: Record<string, TrialTiming> = { ...manifest.timings };
  let saved = Promise.resolve();
  const begun = new Map<number, number>();
  const validated = new Map<number, number[]>();
  const secondsOf = (task: number): number => (performance.now() - begun.get(task)!) / 1000;
  const outcomes = await runPool<TrialTask, TrialProgress, null>(tasks, {
    jobs,
    signal,
    createWorker: options.createWorker ?? createTrialWorker,
    onStart: (task, attempt) => {
      begun.set(task, performance.now());
      validated.set(task, []);
      onEvent?.({ kind: "started", trial: pending[task]!, attempt });
    },
    onProgress: (task, progress) => {
      if (progress.phase === "validation") validated.get(task)!.push(secondsOf(task));
      onEvent?.({ kind: "progress", trial: pending[task]!, progress });
    },
    onDone: (task) => {
      const trial = pending[task]!;
      const seconds = secondsOf(task);
      const validationSeconds = validated.get(task)!;
      timings[trial.id] = validationSeconds.length > 0
        ? { seconds, validationSeconds }
        : { seconds };
      saved = saved.then(() => writeManifest(out, { ...manifest, timings }));
      onEvent?.({ kind: "finished", trial, seconds });
    },
    onFailed: (task, error, final) =>
      onEvent?.({ kind: "failed", trial: pending[task]!, error, final }),
  }).finally(() => saved);

  onEvent?.({ kind: "merging" });
  const failures = outcomes.flatMap((outcome, task) =>
    outcome.ok ? [] : [{ trial: pending[task]!, error: outcome.error }]
  );
  const failed = new Set(failures.map(({ trial }) => trial.id));
  const trials = sweep.trials.filter((trial) => !failed.has(trial.id));
  const outputs = await merge({ trials, timings });
  await writeManifest(out, {
    ...manifest,
    status: failures.length === 0 ? "complete" : "failed",
    failures: failures.map(({ trial, error }) => ({ trialId: trial.id, message: error.message })),
    timings,
  });
  return { failures, outputs };
}

/**
 * Opens every scenario and training mixture once, so that bad input is refused before anything is
 * written.
 *
 * @returns SHA-256 of every file that is read, by path.
 */
async function checkInputs({ trials }: ExpandedSweep): Promise<Record<string, string>> {
  const opened = new Map(trials.map(({ scenario, config }) => {
    const { environments, episodeRequests, mixture } = config.training;
    const network = mixture.length === 0 ? null : [config.policy, config.normalizer];
    return [canonicalJson([scenario, environments, episodeRequests, mixture, network]), config];
  }));
  for (const config of opened.values()) await openScenario(config).catch(refuseScenario);
  return await hashInputs(trials.map(({ config }) => config));
}

/** What a scenario cannot be built from is bad input here, whoever found it. */
function refuseScenario(error: unknown): never {
  if (error instanceof RangeError && !(error instanceof ConfigError)) {
    throw new UsageError(error.message, { cause: error });
  }
  throw error;
}

async function refuseUsedFolder(out: string): Promise<void> {
  try {
    for await (const _entry of Deno.readDir(out)) {
      throw new UsageError(
        `Cannot write to ${out}: --out must be a new or empty folder (or give --resume to finish the run in it), current folder is not empty`,
      );
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) {
      throw new UsageError(
        `Cannot write to ${out}: --out must be a folder, current value is a file`,
      );
    }
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function writeManifest(out: string, manifest: Manifest): Promise<void> {
  await writeFileAtomic(`${out}/manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
}

function createTrialWorker(): Worker {
  return new Worker(new URL("./_trial_worker.ts", import.meta.url), { type: "module" });
}
