/**
 * The work of one trial.
 *
 * @module
 */
import {
  requestRows,
  requestsSchema,
  type RequestSummary,
  summarizeRuns,
  TableBuilder,
  tableFromRows,
  writeArrow,
} from "../metrics/mod.ts";
import type { ExperimentConfig } from "../config/mod.ts";
import { Rng } from "../random/mod.ts";
import { writeFileAtomic } from "../support/mod.ts";
import {
  type Checkpoint,
  countUpdates,
  encodeCheckpoint,
  evaluatePolicies,
  type EvaluationRun,
  heuristicEntry,
  openScenario,
  policyCheckpoint,
  policyEntry,
  type RouterEntry,
  type Scenario,
  trainPolicy,
  type UpdateRecord,
  type ValidationRecord,
} from "../training/mod.ts";
import type { Trial } from "./expand.ts";
import { trainingRows, trainingTableSchema } from "./training_rows.ts";
import { saveTrial } from "./trial_store.ts";

/** How far a trial is. */
export interface TrialProgress {
  /** What is being counted. */
  readonly phase: "training" | "validation" | "evaluation";
  /** Updates (in validation: of the policy validated) or runs done. */
  readonly done: number;
  /** Updates or runs in all. */
  readonly total: number;
  /** Mean end-to-end latency in the last rollout, validation or run, in seconds; null if none completed. */
  readonly latencySeconds: number | null;
}

/** What a policy did in evaluation, over all seeds. */
export interface TrialResult {
  /** Name in tables and charts: the trial's label, marked when actions were sampled. */
  readonly policy: string;
  /** How actions were chosen; null for routers, which have no distribution to draw from. */
  readonly sampling: "greedy" | "sampled" | null;
  /** Latencies, rates, shares. */
  readonly summary: RequestSummary;
}

/** Content of a finished trial's `trial.json`. */
export interface TrialReport {
  /** The trial. */
  readonly trial: Trial;
  /** One entry a way of acting. */
  readonly results: readonly TrialResult[];
  /** Validations during training, in order; none unless `training.validation` asks for them. */
  readonly validations: readonly ValidationRecord[];
}

/**
 * Trains (unless the trial is a baseline), evaluates and saves `folder/<trial id>/` with
 * `trial.json` ({@linkcode TrialReport}), `requests.arrow` and, after training, `training.arrow` and
 * `policy.safetensors`.
 * The files' bytes depend on the trial only.
 *
 * @param folder The `trials` folder; must exist.
 */
export async function runTrial(
  trial: Trial,
  folder: string,
  onProgress: (progress: TrialProgress) => void,
): Promise<void> {
  const scenario = await openScenario(trial.config);
  if (trial.policy === "ppo") await runLearningTrial(trial, scenario, folder, onProgress);
  else {
    const entry = { ...heuristicEntry(scenario, trial.policy), label: trial.label };
    const results = await evaluate(scenario, [{ entry, sampling: null }], onProgress);
    await save(trial, folder, { results });
  }
}

async function runLearningTrial(
  trial: Trial,
  scenario: Scenario,
  folder: string,
  onProgress: (progress: TrialProgress) => void,
): Promise<void> {
  const { config, label } = trial;
  const updates: UpdateRecord[] = [];
  const validations: ValidationRecord[] = [];
  const trained = await trainPolicy(scenario, {
    rng: new Rng(config.seed),
    onUpdate: (record) => {
      updates.push(record);
      onProgress({
        phase: "training",
        done: record.update,
        total: record.updateCount,
        latencySeconds: record.latencyMeanSeconds,
      });
    },
    onValidation: (record) => {
      validations.push(record);
      onProgress({
        phase: "validation",
        done: record.update,
        total: countUpdates(scenario),
        latencySeconds: record.e2eMeanSeconds,
      });
    },
  });
  try {
    const ways = config.evaluation.sampling.map((sampling) => ({
      sampling,
      entry: policyEntry(trained, sampling === "greedy" ? label : `${label} (sampled)`, sampling),
    }));
    const results = await evaluate(scenario, ways, onProgress);
    const { update, decisions } = chosen(config, validations) ?? updates.at(-1)!;
    const checkpoint = policyCheckpoint(trained, { update, decisions });
    await save(trial, folder, { results, training: { checkpoint, updates, validations } });
  } finally {
    trained.policy.dispose();
  }
}

/** The validation whose policy a run resulted in, if it was chosen by validations. */
function chosen(
  { training: { validation } }: ExperimentConfig,
  validations: readonly ValidationRecord[],
): ValidationRecord | undefined {
  if (validation.keep === "last" || validations.length === 0) return undefined;
  return validations.reduce((best, next) => next.costSeconds < best.costSeconds ? next : best);
}

interface Way {
  readonly entry: RouterEntry;
  readonly sampling: TrialResult["sampling"];
}

interface WayResult extends TrialResult {
  readonly runs: readonly EvaluationRun[];
}

async function evaluate(
  scenario: Scenario,
  ways: readonly Way[],
  onProgress: (progress: TrialProgress) => void,
): Promise<WayResult[]> {
  const { config, replicas } = scenario;
  const total = ways.length * config.evaluation.seeds.length;
  let done = 0;
  const results: WayResult[] = [];
  for (const { entry, sampling } of ways) {
    const runs = await evaluatePolicies(scenario, [entry], {
      onRun: (run) => {
        const latencySeconds = summarizeRuns([run], replicas.length).e2eMeanSeconds;
        onProgress({ phase: "evaluation", done: ++done, total, latencySeconds });
      },
    });
    const summary = summarizeRuns(runs, replicas.length);
    results.push({ policy: entry.label, sampling, runs, summary });
  }
  return results;
}

/** What a trial leaves. */
interface TrialOutputs {
  readonly results: readonly WayResult[];
  readonly training?: {
    readonly checkpoint: Checkpoint;
    readonly updates: readonly UpdateRecord[];
    readonly validations: readonly ValidationRecord[];
  };
}

async function save(
  trial: Trial,
  folder: string,
  { results, training }: TrialOutputs,
): Promise<void> {
  await saveTrial(folder, trial.id, async (path) => {
    const report: TrialReport = {
      trial,
      results: results.map(({ policy, sampling, summary }) => ({ policy, sampling, summary })),
      validations: training?.validations ?? [],
    };
    await writeFileAtomic(`${path}/trial.json`, `${JSON.stringify(report, null, 2)}\n`);
    const requests = new TableBuilder(requestsSchema);
    for (const { policy, runs } of results) {
      for (const { evaluationSeed, workload, result } of runs) {
        const labels = { trialId: trial.id, policy, trainingSeed: trial.seed, evaluationSeed };
        for (const row of requestRows(labels, workload, result.outcomes)) requests.append(row);
      }
    }
    await writeArrow(`${path}/requests.arrow`, requests.finish());
    if (training === undefined) return;
    const { checkpoint, updates } = training;
    await writeFileAtomic(`${path}/policy.safetensors`, encodeCheckpoint(checkpoint));
    const rows = trainingRows(trial, updates);
    await writeArrow(`${path}/training.arrow`, tableFromRows(trainingTableSchema, rows));
  });
}
