/**
 * Policies side by side, on the same requests.
 *
 * @module
 */
import type { Table } from "apache-arrow";
import type { Rng } from "../random/mod.ts";
import {
  type BootstrapDifference,
  type BootstrapOptions,
  type BootstrapStatistic,
  jainIndex,
  mean,
  pairedBlockBootstrap,
  type PairedSample,
  quantile,
} from "../stats/mod.ts";
import { groupRuns, pairRuns, type Run } from "./_policy_runs.ts";

/** One policy against the reference policy, over all its evaluation runs. */
export interface PolicyComparison {
  /** Policy, as in the `policy` column. */
  readonly policy: string;
  /** Evaluation runs: pairs of training seed and evaluation seed. */
  readonly runCount: number;
  /** Mean end-to-end latency in seconds; the reference is the comparison's baseline. */
  readonly e2eMean: BootstrapDifference;
  /** 99th percentile of the end-to-end latency in seconds, over all runs pooled. */
  readonly e2eP99: BootstrapDifference;
  /** Median end-to-end latency in seconds, over all runs pooled. */
  readonly e2eP50Seconds: number;
  /** Mean time to first token in seconds. */
  readonly ttftMean: BootstrapDifference;
  /** Median time to first token in seconds. */
  readonly ttftP50Seconds: number;
  /** 99th percentile of the time to first token in seconds. */
  readonly ttftP99Seconds: number;
  /** Completed requests per second from the first arrival to the last completion; mean over runs. */
  readonly requestsPerSecond: number;
  /** Share of the requests that each replica got, `[replicas]`, over all runs. */
  readonly replicaShares: readonly number[];
  /**
   * Fairness over replicas: Jain's index ({@linkcode jainIndex}) of the mean end-to-end latencies of
   * the requests that each replica served, over replicas that served any. 1 says that a request
   * fares alike wherever it is sent.
   */
  readonly latencyFairness: number;
  /** Share of the requests that met their latency targets; null when none had any. */
  readonly sloFraction: number | null;
  /** Requests that met their targets per second, mean over runs; null when none had any. */
  readonly goodputPerSecond: number | null;
}

/** Settings of {@linkcode comparePolicies}: those of the bootstrap, but for its statistic. */
export interface ComparisonOptions extends Omit<BootstrapOptions, "statistic"> {
  /** Policies to compare with the reference; all by default. */
  readonly policies?: readonly string[];
}

/**
 * Compares every policy of a requests table with a reference policy by the paired block bootstrap
 * ({@linkcode pairedBlockBootstrap}). Each run of a policy is paired with the reference's run on the
 * same evaluation seed. Requests that one of the two left unfinished are left out of the pair.
 *
 * @param requests Table with the columns of {@linkcode requestsSchema}.
 * @param reference Policy to compare with, usually `"least_outstanding"`; it was not trained.
 * @param rng Source of the draws; every policy gets a stream of its own name.
 * @param options Policies, resamples, block length, coverage.
 * @returns One entry a policy, in order of first appearance.
 * @throws {RangeError} When the reference is missing, lacks an evaluation seed that another policy
 * has, or a pair has no request that both completed.
 *
 * @example
 * ```ts
 * import { comparePolicies, tableFromRows } from "@signalbox/signalbox/metrics";
 * import { Rng } from "@signalbox/signalbox/random";
 * import assert from "node:assert/strict";
 *
 * const schema = {
 *   policy: "utf8",
 *   training_seed: "int64?",
 *   evaluation_seed: "int64",
 *   arrival_seconds: "float64",
 *   replica: "int32",
 *   ttft_seconds: "float64",
 *   e2e_seconds: "float64",
 * } as const;
 * const rowOf = (policy: string, request: number, seconds: number) => ({
 *   policy,
 *   training_seed: null,
 *   evaluation_seed: 1,
 *   arrival_seconds: request,
 *   replica: request % 2,
 *   ttft_seconds: 0.5,
 *   e2e_seconds: seconds,
 * });
 * const table = tableFromRows(schema, [
 *   ...[4, 8, 6].map((seconds, i) => rowOf("least_outstanding", i, seconds)),
 *   ...[2, 4, 3].map((seconds, i) => rowOf("ppo", i, seconds)),
 * ]);
 * const [, ppo] = comparePolicies(table, "least_outstanding", new Rng(1));
 * assert.equal(ppo?.e2eMean.difference.estimate, -3);
 * assert.deepEqual(ppo?.e2eMean.relative, { estimate: -0.5, low: -0.5, high: -0.5 });
 * ```
 */
export function comparePolicies(
  requests: Table,
  reference: string,
  rng: Rng,
  options: ComparisonOptions = {},
): PolicyComparison[] {
  return comparisonsOf(requests, options)(reference, rng);
}

/**
 * {@linkcode comparePolicies} with each of several references, for less than as many calls cost.
 *
 * @param requests Table with the columns of {@linkcode requestsSchema}.
 * @param references Policies to compare with; they were not trained.
 * @param rng Source of the draws; every reference gets a stream of its own name.
 * @param options Policies, resamples, block length, coverage.
 * @returns By reference what `comparePolicies(requests, reference, rng.stream(reference), options)`
 * returns.
 * @throws {RangeError} As {@linkcode comparePolicies} does.
 */
export function compareWithEach(
  requests: Table,
  references: readonly string[],
  rng: Rng,
  options: ComparisonOptions = {},
): Map<string, PolicyComparison[]> {
  const compare = comparisonsOf(requests, options);
  return new Map(
    references.map((reference) => [reference, compare(reference, rng.stream(reference))]),
  );
}

/** Reads the runs; what is returned compares them with a reference. */
function comparisonsOf(
  requests: Table,
  options: ComparisonOptions,
): (reference: string, rng: Rng) => PolicyComparison[] {
  const runs = Map.groupBy(groupRuns(requests), ({ policy }) => policy);
  const { policies = [...runs.keys()], ...bootstrap } = options;
  const runsOf = (allowed: string, policy: string): readonly Run[] => {
    const own = runs.get(policy);
    if (own !== undefined) return own;
    throw new RangeError(
      `Cannot compare policies: ${allowed} ${
        [...runs.keys()].join(", ")
      }, current value is ${policy}`,
    );
  };
  const summaries = new Map<string, RunSummary>();
  return (reference, rng) => {
    const references = new Map(
      runsOf("reference must be one of", reference).map((run) => [run.evaluationSeed, run]),
    );
    return policies.map((policy) => {
      const own = runsOf("policies must be among", policy);
      const samples = pairRuns(own, references, reference);
      const compare = (
        name: string,
        pairs: readonly PairedSample[],
        statistic: BootstrapStatistic,
      ): BootstrapDifference =>
        pairedBlockBootstrap(pairs, rng.stream(`${policy}/${name}`), { ...bootstrap, statistic });
      const e2eMean = compare("mean", samples.e2e, "mean");
      const e2eP99 = compare("p99", samples.e2e, { quantile: 0.99 });
      const ttftMean = compare("ttft", samples.ttft, "mean");
      const summary = summaries.get(policy) ?? summarise(own);
      summaries.set(policy, summary);
      const { e2eP50Seconds, ...others } = summary;
      return {
        policy,
        runCount: own.length,
        e2eMean,
        e2eP99,
        e2eP50Seconds,
        ttftMean,
        ...others,
      };
    });
  };
}

/** What a comparison says of a policy alone. */
type RunSummary = Omit<
  PolicyComparison,
  "policy" | "runCount" | "e2eMean" | "e2eP99" | "ttftMean"
>;

function summarise(runs: readonly Run[]): RunSummary {
  const ttft = runs.flatMap((run) => run.ttft.filter(Number.isFinite));
  return {
    e2eP50Seconds: quantile(runs.flatMap((run) => run.e2e.filter(Number.isFinite)), 0.5),
    ttftP50Seconds: quantile(ttft, 0.5),
    ttftP99Seconds: quantile(ttft, 0.99),
    requestsPerSecond: mean(runs.map((run) => rateOf(run, () => true))),
    replicaShares: sharesOf(runs),
    latencyFairness: fairnessOf(runs),
    ...attainmentOf(runs),
  };
}

/** Completed requests that count, per second from the first arrival to the last completion. */
function rateOf(run: Run, counts: (request: number) => boolean): number {
  let last = Number.NEGATIVE_INFINITY;
  let count = 0;
  run.e2e.forEach((seconds, i) => {
    if (!Number.isFinite(seconds)) return;
    last = Math.max(last, run.arrival[i]! + seconds);
    if (counts(i)) count++;
  });
  return count / (last - run.arrival[0]!);
}

function attainmentOf(
  runs: readonly Run[],
): Pick<PolicyComparison, "sloFraction" | "goodputPerSecond"> {
  const promised = runs.flatMap((run) => run.meetsSlo.filter((met) => !Number.isNaN(met)));
  if (promised.length === 0) return { sloFraction: null, goodputPerSecond: null };
  return {
    sloFraction: mean(promised),
    goodputPerSecond: mean(runs.map((run) => rateOf(run, (i) => run.meetsSlo[i] === 1))),
  };
}

function fairnessOf(runs: readonly Run[]): number {
  const sums: number[] = [];
  const counts: number[] = [];
  for (const { replica, e2e } of runs) {
    replica.forEach((r, i) => {
      if (!Number.isFinite(r + e2e[i]!)) return;
      sums[r] = (sums[r] ?? 0) + e2e[i]!;
      counts[r] = (counts[r] ?? 0) + 1;
    });
  }
  // Replicas that served nothing are holes of the arrays, which `flatMap` leaves out.
  return jainIndex(sums.flatMap((sum, r) => sum / counts[r]!));
}

function sharesOf(runs: readonly Run[]): number[] {
  const counts: number[] = [];
  let total = 0;
  for (const replica of runs.flatMap((run) => run.replica)) {
    if (Number.isNaN(replica)) continue;
    while (counts.length <= replica) counts.push(0);
    counts[replica]!++;
    total++;
  }
  return counts.map((count) => count / total);
}
