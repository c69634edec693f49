/** The table that a comparison of policies ends with. */
import Table from "cli-table3";
import type { PolicyComparison, SloAttainment } from "../metrics/mod.ts";
import { mean } from "../stats/mod.ts";

const HEAD = [
  "policy",
  "mean E2E",
  "p50 E2E",
  "p99 E2E",
  "mean TTFT",
  "p99 TTFT",
  "req/s",
];
const SLO_HEAD = ["targets met", "goodput/s"];

/**
 * Latencies in seconds, throughput, and the difference of the mean latency to the reference with
 * its paired 95 % bootstrap interval.
 *
 * @param attainments How well each policy kept latency targets, one entry a run; columns appear only
 *   if there is one.
 */
export function comparisonTable(
  comparisons: readonly PolicyComparison[],
  reference: string,
  attainments: ReadonlyMap<string, readonly SloAttainment[]> = new Map(),
): string {
  const sloHead = attainments.size > 0 ? SLO_HEAD : [];
  const table = new Table({
    head: [...HEAD, ...sloHead, `mean E2E vs ${reference} [95 %]`],
    colAligns: ["left", ...[...HEAD, ...sloHead].map(() => "right" as const)],
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
      ...sloCells(attainments.get(entry.policy)),
      entry.policy === reference
        ? "reference"
        : `${percent(estimate)} [${percent(low)}, ${percent(high)}]`,
    ]);
  }
  return table.toString();
}

/** Means over runs, which have equally many requests. */
function sloCells(runs: readonly SloAttainment[] | undefined): string[] {
  if (runs === undefined) return [];
  const met = mean(Float64Array.from(runs, (run) => run.allFraction));
  const goodput = mean(Float64Array.from(runs, (run) => run.goodputPerSecond));
  return [`${(100 * met).toFixed(1)} %`, goodput.toFixed(2)];
}

function seconds(value: number): string {
  return `${value.toFixed(value < 1 ? 3 : 2)} s`;
}

function percent(share: number): string {
  if (Number.isNaN(share)) return "?";
  return `${share > 0 ? "+" : ""}${(100 * share).toFixed(1)} %`;
}
