/**
 * Comparisons of policies, one row a policy, baseline and statistic.
 *
 * @module
 */
import type { BootstrapDifference } from "../stats/mod.ts";
import type { PolicyComparison } from "./policy_comparison.ts";
import type { RowOf, TableSchema } from "./table_schema.ts";

/**
 * Columns of `comparisons.parquet`. Values are in seconds; `relative` is policy / baseline - 1. Ends
 * of intervals are null where they are unknown.
 */
export const comparisonsSchema = {
  policy: "dictionary",
  baseline: "dictionary",
  statistic: "dictionary",
  runs: "int32",
  confidence: "float64",
  policy_seconds: "float64",
  policy_low: "float64?",
  policy_high: "float64?",
  baseline_seconds: "float64",
  difference_seconds: "float64",
  difference_low: "float64?",
  difference_high: "float64?",
  relative: "float64",
  relative_low: "float64?",
  relative_high: "float64?",
} as const satisfies TableSchema;

/** A row of `comparisons.parquet`. */
export type ComparisonRow = RowOf<typeof comparisonsSchema>;

/**
 * Rows of {@linkcode comparisonsSchema}: `e2e_mean`, `e2e_p99` and `ttft_mean` of every policy
 * against one baseline, which itself is left out.
 *
 * @param baseline What `comparePolicies` was given as its reference.
 * @param comparisons What it returned.
 */
export function* comparisonRows(
  baseline: string,
  comparisons: readonly PolicyComparison[],
): Generator<ComparisonRow> {
  for (const { policy, runCount, e2eMean, e2eP99, ttftMean } of comparisons) {
    if (policy === baseline) continue;
    const statistics = [["e2e_mean", e2eMean], ["e2e_p99", e2eP99], [
      "ttft_mean",
      ttftMean,
    ]] as const;
    for (const [statistic, found] of statistics) {
      yield { policy, baseline, statistic, runs: runCount, ...columnsOf(found) };
    }
  }
}

function columnsOf({ confidence, baseline, candidate, difference, relative }: BootstrapDifference) {
  return {
    confidence,
    policy_seconds: candidate.estimate,
    policy_low: known(candidate.low),
    policy_high: known(candidate.high),
    baseline_seconds: baseline.estimate,
    difference_seconds: difference.estimate,
    difference_low: known(difference.low),
    difference_high: known(difference.high),
    relative: relative.estimate,
    relative_low: known(relative.low),
    relative_high: known(relative.high),
  };
}

function known(seconds: number): number | null {
  return Number.isNaN(seconds) ? null : seconds;
}
