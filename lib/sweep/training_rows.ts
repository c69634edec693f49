/**
 * Updates as rows of `training.parquet`.
 *
 * @module
 */
import { type RowOf, type TableSchema, trainingColumns } from "../metrics/mod.ts";
import { REWARD_TERMS } from "../reward/mod.ts";
import { rewardColumn, type UpdateRecord } from "../training/mod.ts";
import type { Trial } from "./expand.ts";

/** Statistics of an update beyond those that every trainer has. */
const updateColumns = {
  total_loss: "float64",
  kl_exact: "float64",
  old_approx_kl: "float64",
  critic_grad_norm: "float64?",
  entropy_coef: "float64",
  reference_kl: "float64?",
  reference_kl_coef: "float64?",
  initial_ratio_deviation: "float64",
  epochs_run: "int32",
  steps_taken: "int32",
  stopped_early: "bool",
  latency_p90_seconds: "float64?",
  latency_p95_seconds: "float64?",
  latency_p99_seconds: "float64?",
  curriculum_stage: "int32",
  warnings: "utf8",
} as const satisfies TableSchema;

const rewardColumns: TableSchema = Object.fromEntries(
  REWARD_TERMS.map((term) => [rewardColumn(term), "float64?"]),
);

/**
 * Schema of `training.parquet`: the columns of every trainer, the statistics of this one, and one
 * `reward_<term>` for every signed, weighted term of the reward (the terms sum to the raw reward).
 * `warnings` holds the kinds of {@linkcode TrainingWarning} of the update, separated by spaces.
 */
export const trainingTableSchema: typeof trainingColumns & typeof updateColumns & TableSchema = {
  ...trainingColumns,
  ...updateColumns,
  ...rewardColumns,
};

/** One row an update; reward terms that the trial never used are null. */
export function trainingRows(
  trial: Pick<Trial, "id" | "label" | "config">,
  updates: readonly UpdateRecord[],
): RowOf<typeof trainingTableSchema>[] {
  const unused = REWARD_TERMS.filter((term) => updates.every(({ reward }) => reward[term] === 0));
  const nulls = Object.fromEntries(unused.map((term) => [rewardColumn(term), null]));
  return updates.map((record) => ({ ...trainingRow(trial, record), ...nulls }));
}

/** The row of one update, when others are not known yet: unused reward terms are 0. */
export function trainingRow(
  trial: Pick<Trial, "id" | "label" | "config">,
  record: UpdateRecord,
): RowOf<typeof trainingTableSchema> {
  const { stats, reward } = record;
  const terms = REWARD_TERMS.map((term) => [rewardColumn(term), reward[term]]);
  return {
    trial_id: trial.id,
    policy: trial.label,
    seed: trial.config.seed,
    update: record.update,
    decisions: record.decisions,
    simulated_seconds: record.simulatedSeconds,
    policy_loss: stats.policyLoss,
    value_loss: stats.valueLoss,
    entropy: stats.entropy,
    approx_kl: stats.approxKl,
    clip_fraction: stats.clipFraction,
    explained_variance: Number.isNaN(stats.explainedVariance) ? null : stats.explainedVariance,
    grad_norm: stats.gradNorm,
    learning_rate: stats.learningRate,
    temperature: record.temperature,
    reward_mean: reward.reward,
    reward_std: record.rewardStd,
    value_mean: record.valueMean,
    return_mean: record.returnMean,
    throughput: record.throughput,
    latency_mean_seconds: record.latencyMeanSeconds,
    action_shares: record.actionShares,
    total_loss: stats.totalLoss,
    kl_exact: stats.klExact,
    old_approx_kl: stats.oldApproxKl,
    critic_grad_norm: stats.criticGradNorm,
    entropy_coef: stats.entropyCoef,
    reference_kl: stats.referenceKl,
    reference_kl_coef: stats.referenceKlCoef,
    initial_ratio_deviation: stats.initialRatioDeviation,
    epochs_run: stats.epochsRun,
    steps_taken: stats.stepsTaken,
    stopped_early: stats.stoppedEarly,
    latency_p90_seconds: record.tailLatency?.cluster.p90Seconds ?? null,
    latency_p95_seconds: record.tailLatency?.cluster.p95Seconds ?? null,
    latency_p99_seconds: record.tailLatency?.cluster.p99Seconds ?? null,
    curriculum_stage: record.curriculum.stageIndex,
    warnings: record.warnings.map(({ kind }) => kind).join(" "),
    ...Object.fromEntries(terms),
  };
}
