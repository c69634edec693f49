/** The tables that a study ends with. */
import type { PolicyComparison } from "../metrics/mod.ts";
import type { ReportTable } from "../plot/mod.ts";
import {
  bestUntoldHeuristic,
  type CellComparison,
  type StudyTarget,
  type StudyTradeOff,
  type TargetVerdict,
} from "../study/mod.ts";
import { seconds, withInterval, withKnowledge } from "./_comparison_table.ts";

const STATISTICS: Readonly<Record<StudyTarget["statistic"], string>> = {
  e2eMean: "mean E2E",
  e2eP99: "p99 E2E",
  ttftMean: "mean TTFT",
};

/** One row a target and load: what was asked, what was found, whether it is reached. */
export function targetsTable(verdicts: readonly TargetVerdict[]): ReportTable {
  return {
    columns: ["scenario", "policy", "target", "against", "found [95 %]", "reached"],
    rows: verdicts.map(({ target, load, baseline, relative, isReached }) => [
      titleOf({ scenario: target.scenario, load }),
      target.policy,
      `${STATISTICS[target.statistic]} ${demand(target)}`,
      target.against === baseline ? baseline : `${target.against}: ${baseline}`,
      withInterval(relative),
      isReached ? "yes" : "no",
    ]),
  };
}

/** How a policy acts that draws its actions, as its name in tables says. */
const SAMPLED = " (sampled)";

/** Whether a trained policy draws its actions. */
export function isSampled(policy: string): boolean {
  return policy.endsWith(SAMPLED);
}

/** One row a cell and trained policy: what it does, beside the reference and the best heuristic. */
export function cellsTable(
  cells: readonly CellComparison[],
  reference: string,
  sampling: "greedy" | "sampled",
): ReportTable {
  return {
    columns: [
      "scenario",
      "policy",
      "E2E mean (s)",
      `vs ${reference} [95 %]`,
      "best untold heuristic",
      "mean E2E vs that [95 %]",
      "p99 (s)",
      `p99 vs ${reference} [95 %]`,
      "TTFT mean (s)",
      `TTFT vs ${reference} [95 %]`,
      "req/s",
      "latency targets met",
      "fairness",
    ],
    rows: cells.flatMap((cell) => {
      const best = bestUntoldHeuristic(cell);
      const againstBest = cell.againstBaselines.get(best)!;
      const entries = cell.againstBaselines.get(reference)!
        .filter(({ policy }) => isSampled(policy) === (sampling === "sampled"));
      return entries.map((entry) => [
        titleOf(cell),
        entry.policy,
        seconds(entry.e2eMean.candidate.estimate),
        withInterval(entry.e2eMean.relative),
        best,
        withInterval(againstBest.find(({ policy }) => policy === entry.policy)!.e2eMean.relative),
        seconds(entry.e2eP99.candidate.estimate),
        withInterval(entry.e2eP99.relative),
        seconds(entry.ttftMean.candidate.estimate),
        withInterval(entry.ttftMean.relative),
        entry.requestsPerSecond.toFixed(2),
        entry.sloFraction === null ? "none set" : `${(100 * entry.sloFraction).toFixed(1)} %`,
        entry.latencyFairness.toFixed(3),
      ]);
    }),
  };
}

/** Mean E2E in seconds, a row a cell and a column a policy: the baselines and those named. */
export function ladderTable(
  cells: readonly CellComparison[],
  learned: readonly string[],
): ReportTable {
  const baselines = cells[0]!.comparisons.map(({ policy }) => policy)
    .filter((policy) => cells[0]!.againstBaselines.has(policy));
  const policies = [...baselines, ...learned];
  return {
    columns: ["scenario", ...policies.map(withKnowledge)],
    rows: cells.map((cell) => [
      titleOf(cell),
      ...policies.map((policy) => {
        const entry = cell.comparisons.find((comparison) => comparison.policy === policy);
        return entry === undefined ? "" : seconds(entry.e2eMean.candidate.estimate);
      }),
    ]),
  };
}

/** Mean E2E of one trained policy against every baseline, a row a cell. */
export function opponentsTable(cells: readonly CellComparison[], learned: string): ReportTable {
  const baselines = [...cells[0]!.againstBaselines.keys()];
  return {
    columns: ["scenario", ...baselines.map(withKnowledge)],
    rows: cells.map((cell) => [
      titleOf(cell),
      ...baselines.map((baseline) => {
        const against = cell.againstBaselines.get(baseline)!;
        const entry = against.find(({ policy }) => policy === learned);
        return entry === undefined ? "" : withInterval(entry.e2eMean.relative);
      }),
    ]),
  };
}

/** Latency against first tokens: one row a policy, in the order of the curve. */
export function tradeOffTable(
  { policies }: StudyTradeOff,
  cell: CellComparison,
  reference: string,
): ReportTable {
  return {
    columns: [
      "policy",
      "training seeds",
      "E2E mean (s)",
      `vs ${reference} [95 %]`,
      "TTFT mean (s)",
      `TTFT vs ${reference} [95 %]`,
    ],
    rows: tradeOffEntries(policies, cell).map((entry) => [
      entry.policy,
      entry.runCount / cell.comparisons.find(({ policy }) => policy === reference)!.runCount,
      seconds(entry.e2eMean.candidate.estimate),
      withInterval(entry.e2eMean.relative),
      seconds(entry.ttftMean.candidate.estimate),
      withInterval(entry.ttftMean.relative),
    ]),
  };
}

/** Those of the policies that were compared in a cell. */
export function tradeOffEntries(
  policies: readonly string[],
  { comparisons }: CellComparison,
): PolicyComparison[] {
  return policies.flatMap((label) => comparisons.filter(({ policy }) => policy === label));
}

/** `mixed 75 %`. */
export function titleOf({ scenario, load }: Pick<CellComparison, "scenario" | "load">): string {
  return `${scenario} ${load} %`;
}

/** A table in GitHub's Markdown. */
export function markdownTable({ columns, rows }: ReportTable): string {
  const line = (cells: readonly unknown[]): string =>
    `| ${cells.map((cell) => String(cell ?? "").replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

function demand({ atMost }: StudyTarget): string {
  if (atMost === "not above") return atMost;
  return atMost === 0 ? "under" : `at least ${(-100 * atMost).toFixed(0)} % under`;
}
