/**
 * One row for every trial of a sweep.
 *
 * @module
 */
import type { ColumnSpec, ColumnType, TableSchema } from "./table_schema.ts";

/** Columns of `trials.parquet` that every sweep has; `seed` is null for policies that are not trained. */
export const trialColumns = {
  trial_id: "utf8",
  kind: "dictionary",
  policy: "dictionary",
  seed: "int64?",
} as const satisfies TableSchema;

/**
 * The schema of `trials.parquet`: {@linkcode trialColumns}, the axes of the grid, the metrics.
 *
 * @param axes Configuration columns, usually from {@linkcode axisColumn}.
 * @param metrics Final metrics, e.g. {@linkcode summarySchema}.
 * @throws {RangeError} When two columns have the same name.
 *
 * @example
 * ```ts
 * import { axisColumn, summarySchema, trialsSchema } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const axes = { "reward.mode": axisColumn("reward.mode", ["delta", "hybrid"]) };
 * const schema = trialsSchema(axes, summarySchema);
 * assert.equal(schema["reward.mode"], "dictionary?");
 * assert.equal(schema.e2e_p99_seconds, "float64");
 * ```
 */
export function trialsSchema<A extends TableSchema, M extends TableSchema>(
  axes: A,
  metrics: M,
): typeof trialColumns & A & M {
  const names = [trialColumns, axes, metrics].flatMap((part) => Object.keys(part));
  const repeated = names.find((name, position) => names.indexOf(name) !== position);
  if (repeated !== undefined) {
    throw new RangeError(
      `Cannot define trials table: column names must be distinct, current value is ${repeated} (twice)`,
    );
  }
  return { ...trialColumns, ...axes, ...metrics };
}

/**
 * The column type for the values of a configuration axis: `bool`, `int64` (all safe integers),
 * `float64`, `dictionary` (strings) or `float64[]`; always nullable, because baselines leave axes of
 * the learning system empty.
 *
 * @param name Dotted path of the axis, for the error.
 * @param values Every value that occurs; nulls do not count.
 * @throws {TypeError} When the values have no common type.
 *
 * @example
 * ```ts
 * import { axisColumn } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * assert.equal(axisColumn("ppo.epochs", [4, 8]), "int64?");
 * assert.equal(axisColumn("ppo.learningRate", [3e-4, 1]), "float64?");
 * ```
 */
export function axisColumn(name: string, values: readonly unknown[]): ColumnSpec {
  const present = values.filter((value) => value !== null && value !== undefined);
  const fits: readonly (readonly [ColumnType, (value: unknown) => boolean])[] = [
    ["bool", (value) => typeof value === "boolean"],
    ["int64", Number.isSafeInteger],
    ["float64", (value) => typeof value === "number"],
    ["dictionary", (value) => typeof value === "string"],
    [
      "float64[]",
      (value) => Array.isArray(value) && value.every((item) => typeof item === "number"),
    ],
  ];
  const found = fits.find(([, test]) => present.length > 0 && present.every(test));
  if (found === undefined) {
    throw new TypeError(
      `Cannot make a column of ${name}: its values must be all booleans, numbers, strings or lists of numbers, current values are ${
        JSON.stringify(values)
      }`,
    );
  }
  return `${found[0]}?`;
}
