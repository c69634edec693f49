/** Policies run on the same arrivals and compared with every baseline. */
import type { Table } from "apache-arrow";
import {
  columnNumbers,
  comparePolicies,
  compareWithEach,
  type PolicyComparison,
  requestRows,
  requestsSchema,
  TableBuilder,
} from "../metrics/mod.ts";
import { Rng } from "../random/mod.ts";
import { evaluatePolicies, type EvaluationSplit, type Scenario } from "../training/mod.ts";
import type { Workload } from "../workload/mod.ts";
import type { FoundPolicies, PolicyGroup } from "./_policies.ts";

/** How to compare. */
export interface ComparisonSettings {
  /** The baseline that all policies are compared with. */
  readonly reference: string;
  /** What the arrivals are held out for. */
  readonly split: EvaluationSplit;
  /** Gives requests other latency targets than their own. */
  readonly promise: (workload: Workload) => Workload;
  /** Stops between runs. */
  readonly signal: AbortSignal;
}

/** What a comparison found. */
export interface Comparison {
  /** One row a request and run. */
  readonly requests: Table;
  /** The baseline that all policies are compared with. */
  readonly reference: string;
  /** All policies against the reference. */
  readonly comparisons: readonly PolicyComparison[];
  /** Trained policies against each baseline, the reference included, in order of the list. */
  readonly againstBaselines: ReadonlyMap<string, readonly PolicyComparison[]>;
  /** Requests that no replica finished, over all runs; latencies leave them out. */
  readonly unfinishedCount: number;
  /** Trained policies. */
  readonly groups: readonly PolicyGroup[];
}

/** Runs every policy on every seed's arrivals. */
export async function runComparison(
  scenario: Scenario,
  { entries, groups }: FoundPolicies,
  { reference, split, promise, signal }: ComparisonSettings,
): Promise<Comparison> {
  const rows = new TableBuilder(requestsSchema);
  await evaluatePolicies(scenario, entries, {
    split,
    signal,
    onRun({ label: policy, trainingSeed, evaluationSeed, workload, result }) {
      const labels = { trialId: "compare", policy, trainingSeed, evaluationSeed };
      for (const row of requestRows(labels, promise(workload), result.outcomes)) rows.append(row);
    },
  });
  return compareRequests(rows.finish(), reference, groups);
}

/**
 * Compares runs that have been made.
 *
 * @param requests One row a request and run.
 * @param reference The baseline that all policies are compared with.
 * @param groups The policies that were trained; all others are baselines.
 */
export function compareRequests(
  requests: Table,
  reference: string,
  groups: readonly PolicyGroup[],
): Comparison {
  const rng = new Rng(0).stream("bootstrap");
  const comparisons = comparePolicies(requests, reference, rng);
  const learned = groups.flatMap(({ actingLabels }) => actingLabels);
  const baselines = learned.length === 0
    ? []
    : comparisons.map(({ policy }) => policy).filter((policy) => !learned.includes(policy));
  const others = baselines.filter((baseline) => baseline !== reference);
  const againstOthers = compareWithEach(requests, others, rng, { policies: learned });
  const againstReference = comparisons.filter(({ policy }) => learned.includes(policy));
  const againstBaselines = new Map(
    baselines.map((baseline) => [baseline, againstOthers.get(baseline) ?? againstReference]),
  );
  const unfinishedCount = columnNumbers(requests, "completed_seconds").filter(Number.isNaN).length;
  return { requests, reference, comparisons, againstBaselines, unfinishedCount, groups };
}
