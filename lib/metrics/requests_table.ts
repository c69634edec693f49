/**
 * One row for every evaluated request.
 *
 * @module
 */
import type { RequestOutcomes } from "../simulator/mod.ts";
import type { Workload } from "../workload/mod.ts";
import type { RowOf, TableSchema } from "./table_schema.ts";

/**
 * Columns of `requests.parquet`; times in seconds of simulated time.
 *
 * Nulls: `training_seed` of a policy that is not trained; `replica` of a request never routed; times
 * and durations of what did not happen before the run was cut off; `tpot_seconds` of one-token
 * outputs, which have no time between tokens; targets that a request does not have, and `meets_slo`
 * of a request without any.
 *
 * What of Vidur's metrics per request (spec/simulator.md section 10) is not here follows from what
 * is: times between arrivals, times per token, and completions over time.
 *
 * ```sql
 * SELECT request, arrival_seconds - lag(arrival_seconds) OVER run AS inter_arrival_seconds
 *   FROM 'requests.parquet'
 *   WINDOW run AS (PARTITION BY trial_id, policy, evaluation_seed ORDER BY request);
 * SELECT request, prompt_tokens / output_tokens AS pd_ratio,
 *     e2e_seconds / output_tokens AS e2e_per_token,
 *     execution_seconds / output_tokens AS execution_per_token,
 *     model_execution_seconds / output_tokens AS model_execution_per_token,
 *     (execution_seconds + preempted_seconds) / output_tokens AS execution_preempted_per_token,
 *     (first_token_seconds - scheduled_seconds) / prompt_tokens AS prefill_per_token,
 *     (completed_seconds - first_token_seconds) / output_tokens AS decode_per_token
 *   FROM 'requests.parquet';
 * SELECT completed_seconds, row_number() OVER run AS completed
 *   FROM 'requests.parquet' WHERE completed_seconds IS NOT NULL
 *   WINDOW run AS (PARTITION BY trial_id, policy, evaluation_seed ORDER BY completed_seconds);
 * ```
 */
export const requestsSchema = {
  trial_id: "dictionary",
  policy: "dictionary",
  training_seed: "int64?",
  evaluation_seed: "int64",
  request: "int32",
  arrival_seconds: "float64",
  prompt_tokens: "int32",
  output_tokens: "int32",
  replica: "int32?",
  scheduled_seconds: "float64?",
  first_token_seconds: "float64?",
  completed_seconds: "float64?",
  ttft_seconds: "float64?",
  e2e_seconds: "float64?",
  tpot_seconds: "float64?",
  scheduling_delay_seconds: "float64?",
  execution_seconds: "float64",
  model_execution_seconds: "float64",
  preempted_seconds: "float64",
  restarts: "int32",
  priority: "int32",
  ttft_slo_seconds: "float64?",
  tpot_slo_seconds: "float64?",
  e2e_slo_seconds: "float64?",
  meets_slo: "bool?",
} as const satisfies TableSchema;

/** A row of `requests.parquet`. */
export type RequestRow = RowOf<typeof requestsSchema>;

/** What tells one evaluation run from another. */
export interface RequestLabels {
  /** Content-hashed id of the trial. */
  readonly trialId: string;
  /** Routing policy, e.g. `"least_outstanding"`. */
  readonly policy: string;
  /** Seed of the training, null for policies that are not trained. */
  readonly trainingSeed: number | null;
  /** Seed of the arrivals. */
  readonly evaluationSeed: number;
}

/**
 * Rows of {@linkcode requestsSchema} for one run, in order of arrival.
 *
 * `ttft = firstToken - arrival`, `e2e = completed - arrival`, `schedulingDelay = scheduled -
 * arrival`, and `tpot = (completed - firstToken) / (outputTokens - 1)`: the first token belongs to
 * the prefill. A request meets its targets when it completed and exceeds none of them.
 *
 * @param labels Trial, policy and seeds, repeated on every row.
 * @param workload The requests that were fed.
 * @param outcomes What happened to them, columns of length `workload.count`.
 *
 * @example
 * ```ts
 * import { requestRows, requestsSchema, tableFromRows } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const workload = {
 *   name: "one request",
 *   count: 1,
 *   arrivalSeconds: Float64Array.of(1),
 *   promptTokens: Int32Array.of(100),
 *   outputTokens: Int32Array.of(5),
 * };
 * const outcomes = {
 *   replica: Int32Array.of(2),
 *   scheduledSeconds: Float64Array.of(1.5),
 *   firstTokenSeconds: Float64Array.of(2),
 *   completedSeconds: Float64Array.of(4),
 *   executionSeconds: Float64Array.of(2.5),
 *   modelExecutionSeconds: Float64Array.of(2.5),
 *   preemptedSeconds: Float64Array.of(0),
 *   restarts: Int32Array.of(0),
 * };
 * const labels = { trialId: "t", policy: "random", trainingSeed: null, evaluationSeed: 1 };
 * const [row] = requestRows(labels, workload, outcomes);
 * assert.equal(row?.ttft_seconds, 1);
 * assert.equal(row?.e2e_seconds, 3);
 * assert.equal(row?.tpot_seconds, 0.5); // two seconds between the first and the fifth token
 * assert.equal(tableFromRows(requestsSchema, [row!]).numRows, 1);
 * ```
 */
export function* requestRows(
  labels: RequestLabels,
  workload: Workload,
  outcomes: RequestOutcomes,
): Generator<RequestRow> {
  requireSameCount(workload, outcomes);
  const { priority, slos } = workload;
  for (let i = 0; i < workload.count; i++) {
    const arrival = workload.arrivalSeconds[i]!;
    const outputTokens = workload.outputTokens[i]!;
    const replica = outcomes.replica[i]!;
    const scheduled = outcomes.scheduledSeconds[i]!;
    const firstToken = outcomes.firstTokenSeconds[i]!;
    const completed = outcomes.completedSeconds[i]!;
    const ttft = known(firstToken - arrival);
    const e2e = known(completed - arrival);
    const tpot = outputTokens > 1 ? known((completed - firstToken) / (outputTokens - 1)) : null;
    const ttftSlo = limit(slos?.ttftSeconds?.[i]);
    const tpotSlo = limit(slos?.tpotSeconds?.[i]);
    const e2eSlo = limit(slos?.e2eSeconds?.[i]);
    const hasSlo = ttftSlo !== null || tpotSlo !== null || e2eSlo !== null;
    const keeps = (seconds: number | null, slo: number | null): boolean =>
      slo === null || (seconds ?? 0) <= slo;
    yield {
      trial_id: labels.trialId,
      policy: labels.policy,
      training_seed: labels.trainingSeed,
      evaluation_seed: labels.evaluationSeed,
      request: i,
      arrival_seconds: arrival,
      prompt_tokens: workload.promptTokens[i]!,
      output_tokens: outputTokens,
      replica: replica < 0 ? null : replica,
      scheduled_seconds: known(scheduled),
      first_token_seconds: known(firstToken),
      completed_seconds: known(completed),
      ttft_seconds: ttft,
      e2e_seconds: e2e,
      tpot_seconds: tpot,
      scheduling_delay_seconds: known(scheduled - arrival),
      execution_seconds: outcomes.executionSeconds[i]!,
      model_execution_seconds: outcomes.modelExecutionSeconds[i]!,
      preempted_seconds: outcomes.preemptedSeconds[i]!,
      restarts: outcomes.restarts[i]!,
      priority: priority?.[i] ?? 0,
      ttft_slo_seconds: ttftSlo,
      tpot_slo_seconds: tpotSlo,
      e2e_slo_seconds: e2eSlo,
      meets_slo: hasSlo
        ? e2e !== null && keeps(ttft, ttftSlo) && keeps(tpot, tpotSlo) && keeps(e2e, e2eSlo)
        : null,
    };
  }
}

/** Refuses outcomes of another workload. */
export function requireSameCount(workload: Workload, outcomes: RequestOutcomes): void {
  if (outcomes.replica.length !== workload.count) {
    throw new TypeError(
      `Cannot read outcomes: they must be of ${workload.count} requests, current length is ${outcomes.replica.length}`,
    );
  }
}

/** A target; `Infinity` says "none" in a workload's columns, tables say null. */
function limit(seconds: number | undefined): number | null {
  return seconds === undefined || seconds === Infinity ? null : seconds;
}

/** `NaN` says "did not happen" in the simulator's columns; tables say null. */
function known(seconds: number): number | null {
  return Number.isNaN(seconds) ? null : seconds;
}
