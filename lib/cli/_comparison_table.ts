/** The tables that a comparison of policies ends with, for terminals and pages alike. */
import Table from "cli-table3";
import type { PolicyComparison } from "../metrics/mod.ts";
import type { ReportTable } from "../plot/mod.ts";
import type { Interval } from "../stats/mod.ts";
import { describeKnowledge } from "../training/mod.ts";
import type { Comparison } from "./_comparison.ts";

/**
 * One row a policy: latencies in seconds, throughput, latency targets met (where there are any),
 * fairness and shares over replicas, and the difference of the mean latency to the reference with
 * its paired 95 % bootstrap interval.
 */
export function policiesTable(
  { comparisons, reference }: Pick<Comparison, "comparisons" | "reference">,
): ReportTable {
  const hasTargets = comparisons.some(({ sloFraction }) => sloFraction !== null);
  return {
    columns: [
      "policy",
      "E2E mean (s)",
      "p50",
      "p99",
      "TTFT mean (s)",
      "p50",
      "p99",
      "req/s",
      ...(hasTargets ? ["targets met", "goodput/s"] : []),
      "fairness",
      "share by replica (%)",
      `mean E2E vs ${reference} [95 %]`,
    ],
    rows: comparisons.map((entry) => [
      withKnowledge(entry.policy),
      seconds(entry.e2eMean.candidate.estimate),
      seconds(entry.e2eP50Seconds),
      seconds(entry.e2eP99.candidate.estimate),
      seconds(entry.ttftMean.candidate.estimate),
      seconds(entry.ttftP50Seconds),
      seconds(entry.ttftP99Seconds),
      entry.requestsPerSecond.toFixed(2),
      ...(hasTargets
        ? [
          entry.sloFraction === null ? "" : `${(100 * entry.sloFraction).toFixed(1)} %`,
          entry.goodputPerSecond === null ? "" : entry.goodputPerSecond.toFixed(2),
        ]
        : []),
      entry.latencyFairness.toFixed(3),
      entry.replicaShares.map((share) => (100 * share).toFixed(0)).join(" "),
      entry.policy === reference ? "reference" : withInterval(entry.e2eMean.relative),
    ]),
  };
}

/** One row a trained policy and baseline: relative differences with their intervals. */
export function baselinesTable({ againstBaselines }: Comparison): ReportTable {
  return {
    columns: ["policy", "against", "mean E2E [95 %]", "p99 E2E [95 %]", "mean TTFT [95 %]"],
    rows: [...againstBaselines].flatMap(([baseline, comparisons]) =>
      comparisons.map(({ policy, e2eMean, e2eP99, ttftMean }: PolicyComparison) => [
        policy,
        withKnowledge(baseline),
        withInterval(e2eMean.relative),
        withInterval(e2eP99.relative),
        withInterval(ttftMean.relative),
      ])
    ),
  };
}

/** A table for a terminal; the first column and those of words are aligned left. */
export function printableTable({ columns, rows }: ReportTable): string {
  const isWord = (value: unknown): boolean => !/^[-+]?\d/.test(String(value));
  const table = new Table({
    head: [...columns],
    colAligns: columns.map((_, c) => rows.every((row) => isWord(row[c])) ? "left" : "right"),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => row.map((cell) => String(cell ?? ""))));
  return table.toString();
}

/** A policy with what it is told, if it is told anything. */
export function withKnowledge(policy: string): string {
  const told = describeKnowledge(policy);
  return told === "" ? policy : `${policy} (${told})`;
}

/** `-12.3 % [-14.0, -10.1]`. */
export function withInterval({ estimate, low, high }: Interval): string {
  return `${percent(estimate)} % [${percent(low)}, ${percent(high)}]`;
}

/** Three significant digits or so. */
export function seconds(value: number): string {
  return value.toFixed(value < 1 ? 3 : 2);
}

function percent(share: number): string {
  if (Number.isNaN(share)) return "?";
  return `${share > 0 ? "+" : ""}${(100 * share).toFixed(1)}`;
}
