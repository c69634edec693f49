/**
 * Decisions and rollouts as rows of tables.
 *
 * @module
 */
import type { RowOf, TableSchema } from "../metrics/mod.ts";
import { REWARD_BREAKDOWN_KEYS, REWARD_TERMS, type RewardBreakdown } from "../reward/mod.ts";
import type { DecisionRecord } from "./decision_record.ts";
import type { UpdateRecord } from "./update_record.ts";

/**
 * Column of a part of a reward: `latencyTerm` is `reward_latency`, `throughputEma` is
 * `throughput_ema`.
 *
 * @example
 * ```ts
 * import { rewardColumn } from "@signalbox/signalbox/training";
 * import assert from "node:assert/strict";
 *
 * assert.equal(rewardColumn("loadStdTerm"), "reward_load_std");
 * assert.equal(rewardColumn("rawReward"), "raw_reward");
 * ```
 */
export function rewardColumn(part: keyof RewardBreakdown): string {
  const words = part.replace(/Term$/, "").replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return REWARD_TERMS.includes(part) ? `reward_${words}` : words;
}

const decisionColumns = {
  update: "int32",
  environment: "int32",
  episode: "int32",
  decision: "int64",
  seconds: "float64",
  request: "int32",
  prompt_tokens: "int32",
  action: "int32",
  log_prob: "float64",
  log_probabilities: "float64[]",
  value: "float64",
  temperature: "float64",
  action_mask: "float64[]",
  waiting: "float64[]",
  running: "float64[]",
  kv_shares: "float64[]",
  elapsed_seconds: "float64",
  discount: "float64?",
  terminated: "bool",
  truncated: "bool",
  credited_decisions: "float64[]",
  credited_rewards: "float64[]",
  temperature_qps_pressure_ema: "float64?",
  temperature_latency_pressure_ema: "float64?",
  temperature_pulse_remaining: "int32?",
} as const satisfies TableSchema;

const breakdownColumns: TableSchema = Object.fromEntries(
  REWARD_BREAKDOWN_KEYS.map((part) => [rewardColumn(part), "float64"]),
);

/**
 * Columns of a table of decisions: one row a routed request, environment by environment at every
 * step. `seconds` is simulated time in the episode; lists have an entry a replica. What the reward
 * was made of belongs to the time up to the next decision (`elapsed_seconds`); `reward_<term>`
 * columns sum to `raw_reward`. In reward mode `request` a decision is paid for when its request
 * completes: `credited_decisions` lists the decisions of this environment that were paid for in that
 * time and `credited_rewards` what each was paid.
 * Source: spec/scheduler.md section 14.2.
 */
export const decisionsSchema: typeof decisionColumns & TableSchema = {
  ...decisionColumns,
  ...breakdownColumns,
};

/** A decision as a row. */
export function decisionRow(record: DecisionRecord): RowOf<typeof decisionsSchema> {
  const { step, credits, temperatureState } = record;
  const parts = REWARD_BREAKDOWN_KEYS.map((part) => [rewardColumn(part), step.breakdown[part]]);
  return {
    update: record.update,
    environment: record.environmentIndex,
    episode: record.episodeIndex,
    decision: record.decisionIndex,
    seconds: record.nowSeconds,
    request: record.requestIndex,
    prompt_tokens: record.promptTokens,
    action: record.action,
    log_prob: record.logProb,
    log_probabilities: record.logProbabilities,
    value: record.value,
    temperature: record.temperature,
    action_mask: Array.from(record.actionMask),
    waiting: Array.from(record.waitingCounts),
    running: Array.from(record.runningCounts),
    kv_shares: record.kvShares,
    elapsed_seconds: step.elapsedSeconds,
    discount: step.discount ?? null,
    terminated: step.terminated,
    truncated: step.truncated,
    credited_decisions: credits.map(({ decisionIndex }) => decisionIndex),
    credited_rewards: credits.map(({ reward }) => reward),
    temperature_qps_pressure_ema: temperatureState?.qpsPressureEma ?? null,
    temperature_latency_pressure_ema: temperatureState?.latencyPressureEma ?? null,
    temperature_pulse_remaining: temperatureState?.pulseRemaining ?? null,
    ...Object.fromEntries(parts),
  };
}

/**
 * Columns of a table of rollouts: one row an update. Statistics of rewards are over the steps of the
 * rollout, `advantage_std` is before advantages are normalised, `action_counts` has an entry a
 * replica. Source: spec/scheduler.md section 14.2.
 */
export const rolloutsSchema = {
  update: "int32",
  decisions: "int64",
  simulated_seconds: "float64",
  reward_mean: "float64",
  reward_std: "float64",
  reward_min: "float64",
  reward_max: "float64",
  value_mean: "float64",
  return_mean: "float64",
  advantage_std: "float64",
  temperature_mean: "float64",
  throughput: "float64",
  latency_mean_seconds: "float64?",
  action_counts: "float64[]",
  curriculum_stage: "int32",
  curriculum_progress: "float64",
  rate_scale: "float64",
  latency_threshold_scale: "float64",
  reward_penalty_scale: "float64",
} as const satisfies TableSchema;

/** The rollout of an update as a row. */
export function rolloutRow(record: UpdateRecord): RowOf<typeof rolloutsSchema> {
  const { reward, curriculum: { stageIndex, stageProgress, difficulty } } = record;
  return {
    update: record.update,
    decisions: record.decisions,
    simulated_seconds: record.simulatedSeconds,
    reward_mean: reward.reward,
    reward_std: record.rewardStd,
    reward_min: record.rewardMin,
    reward_max: record.rewardMax,
    value_mean: record.valueMean,
    return_mean: record.returnMean,
    advantage_std: record.advantageStd,
    temperature_mean: record.temperature,
    throughput: record.throughput,
    latency_mean_seconds: record.latencyMeanSeconds,
    action_counts: record.actionCounts,
    curriculum_stage: stageIndex,
    curriculum_progress: stageProgress,
    rate_scale: difficulty.rateScale,
    latency_threshold_scale: difficulty.latencyThresholdScale,
    reward_penalty_scale: difficulty.rewardPenaltyScale,
  };
}
