/** The table that a comparison of policies ends with. */
import Table from "cli-table3";
import type { PolicyComparison } from "../metrics/mod.ts";

const HEAD = [
  "policy",
  "mean E2E",
  "p50 E2E",
  "p99 E2E",
  "mean TTFT",
  "p99 TTFT",
  "req/s",
];

/**
 * Latencies in seconds, throughput, and the difference of the mean latency to the reference with
 * its paired 95 % bootstrap interval.
 */
export function comparisonTable(
  comparisons: readonly PolicyComparison[],
  reference: string,
): string {
  const table = new Table({
    head: [...HEAD, `mean E2E vs ${reference} [95 %]`],
    colAligns: ["left", "right", "right", "right", "right", "right", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const entry of comparisons) {
    const { estimate, low, high } = entry.e2eMean.relative;
    table.push([
      entry.policy,
      seconds(entry.e2eMean.candidate.estimate),
      seconds(entry.e2eP50Seconds),
      seconds(entry.e2eP99.candidate.estimate),
      seconds(entry.ttftMeanSeconds),
      seconds(entry.ttftP99Seconds),
      entry.requestsPerSecond.toFixed(2),
      entry.policy === reference
        ? "reference"
        : `${percent(estimate)} [${percent(low)}, ${percent(high)}]`,
    ]);
  }
  return table.toString();
}

function seconds(value: number): string {
  return `${value.toFixed(value < 1 ? 3 : 2)} s`;
}

function percent(share: number): string {
  if (Number.isNaN(share)) return "?";
  return `${share > 0 ? "+" : ""}${(100 * share).toFixed(1)} %`;
}
