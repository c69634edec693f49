/**
 * One row for every policy update.
 *
 * @module
 */
import type { TableSchema } from "./table_schema.ts";

/**
 * Columns of `training.parquet` that every trial has; {@linkcode trainingSchema} adds the reward
 * components. `decisions` and `simulated_seconds` count from the start of the training, over all
 * environments; `throughput` is in completed requests per simulated second; `temperature` is null
 * when the policy samples at temperature 1 by design; `explained_variance` is null when the returns
 * of a rollout do not vary; `latency_mean_seconds` is null when no request completed in it.
 */
export const trainingColumns = {
  trial_id: "dictionary",
  policy: "dictionary",
  seed: "int64",
  update: "int32",
  decisions: "int64",
  simulated_seconds: "float64",
  policy_loss: "float64",
  value_loss: "float64",
  entropy: "float64",
  approx_kl: "float64",
  clip_fraction: "float64",
  explained_variance: "float64?",
  grad_norm: "float64",
  learning_rate: "float64",
  temperature: "float64?",
  reward_mean: "float64",
  reward_std: "float64",
  value_mean: "float64",
  return_mean: "float64",
  throughput: "float64",
  latency_mean_seconds: "float64?",
  action_shares: "float64[]",
} as const satisfies TableSchema;

/** Columns of `training.parquet` with the given reward components. */
export type TrainingSchema<C extends string> =
  & typeof trainingColumns
  & { readonly [K in `reward_${C}`]: "float64?" };

/**
 * The schema of `training.parquet`: {@linkcode trainingColumns} and one nullable column
 * `reward_<component>` for every reward component (null where a reward mode lacks it).
 *
 * @param components Names in snake_case, without the prefix, e.g. `["throughput", "latency"]`.
 * @throws {RangeError} When a name is given twice or is one of the fixed columns.
 *
 * @example
 * ```ts
 * import { trainingSchema } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const schema = trainingSchema(["balance_penalty"]);
 * assert.equal(schema.reward_balance_penalty, "float64?");
 * assert.equal(schema.entropy, "float64");
 * ```
 */
export function trainingSchema<const C extends string>(
  components: readonly C[],
): TrainingSchema<C> {
  const schema: Record<string, string> = { ...trainingColumns };
  for (const component of components) {
    const name = `reward_${component}`;
    if (name in schema) {
      throw new RangeError(
        `Cannot define training table: reward components must be distinct and none of mean, std, current value is ${component}`,
      );
    }
    schema[name] = "float64?";
  }
  return schema as TrainingSchema<C>;
}
