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
  jainIndex,
  mean,
  pairedBlockBootstrap,
  type PairedSample,
  quantile,
} from "../stats/mod.ts";
import { columnNumbers, columnStrings } from "./columns.ts";

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
  const runs = groupRuns(requests);
  const known = [...new Set(runs.map((run) => run.policy))];
  const { policies = known, ...bootstrap } = options;
  const references = new Map<number, Run>();
  for (const run of runs) {
    if (run.policy === reference) references.set(run.evaluationSeed, run);
  }
  if (references.size === 0) {
    throw new RangeError(
      `Cannot compare policies: reference must be one of ${
        known.join(", ")
      }, current value is ${reference}`,
    );
  }
  return policies.map((policy) => {
    const own = runs.filter((run) => run.policy === policy);
    if (own.length === 0) {
      throw new RangeError(
        `Cannot compare policies: policies must be among ${
          known.join(", ")
        }, current value is ${policy}`,
      );
    }
    const samples = pairRuns(own, references, reference);
    const compare = (
      name: string,
      pairs: readonly PairedSample[],
      statistic: "mean" | { quantile: number },
    ): BootstrapDifference =>
      pairedBlockBootstrap(pairs, rng.stream(`${policy}/${name}`), { ...bootstrap, statistic });
    const ttft = own.flatMap((run) => run.ttft.filter(Number.isFinite));
    return {
      policy,
      runCount: own.length,
      e2eMean: compare("mean", samples.e2e, "mean"),
      e2eP99: compare("p99", samples.e2e, { quantile: 0.99 }),
      e2eP50Seconds: quantile(own.flatMap((run) => run.e2e.filter(Number.isFinite)), 0.5),
      ttftMean: compare("ttft", samples.ttft, "mean"),
      ttftP50Seconds: quantile(ttft, 0.5),
      ttftP99Seconds: quantile(ttft, 0.99),
      requestsPerSecond: mean(own.map((run) => rateOf(run, () => true))),
      replicaShares: sharesOf(own),
      latencyFairness: fairnessOf(own),
      ...attainmentOf(own),
    };
  });
}

/** One evaluation run, its requests in order of arrival; `NaN` where a request did not complete. */
interface Run {
  readonly policy: string;
  readonly trainingSeed: number;
  readonly evaluationSeed: number;
  readonly arrival: number[];
  readonly e2e: number[];
  readonly ttft: number[];
  readonly replica: number[];
  /** 1 where the targets were met, 0 where not, `NaN` where there were none. */
  readonly meetsSlo: number[];
}

function groupRuns(requests: Table): Run[] {
  const policies = columnStrings(requests, "policy");
  const trainingSeeds = columnNumbers(requests, "training_seed");
  const evaluationSeeds = columnNumbers(requests, "evaluation_seed");
  const arrival = columnNumbers(requests, "arrival_seconds");
  const e2e = columnNumbers(requests, "e2e_seconds");
  const ttft = columnNumbers(requests, "ttft_seconds");
  const replica = columnNumbers(requests, "replica");
  const meetsSlo = requests.getChild("meets_slo");
  const runs = new Map<string, Run>();
  policies.forEach((policy, i) => {
    const trainingSeed = trainingSeeds[i]!;
    const evaluationSeed = evaluationSeeds[i]!;
    const key = `${evaluationSeed}/${trainingSeed}/${policy}`;
    let run = runs.get(key);
    if (run === undefined) {
      run = {
        policy: policy!,
        trainingSeed: Number.isNaN(trainingSeed) ? -1 : trainingSeed,
        evaluationSeed,
        arrival: [],
        e2e: [],
        ttft: [],
        replica: [],
        meetsSlo: [],
      };
      runs.set(key, run);
    }
    run.arrival.push(arrival[i]!);
    run.e2e.push(e2e[i]!);
    run.ttft.push(ttft[i]!);
    run.replica.push(replica[i]!);
    const met: boolean | null = meetsSlo?.get(i) ?? null;
    run.meetsSlo.push(met === null ? Number.NaN : Number(met));
  });
  return [...runs.values()];
}

/** The same runs under two policies, by latency. */
interface PairedRuns {
  readonly e2e: readonly PairedSample[];
  readonly ttft: readonly PairedSample[];
}

/**
 * The latencies of a policy's runs beside the reference's on the same requests; a request
 * that one of the runs on an evaluation seed left unfinished is left out of all of them.
 */
function pairRuns(
  runs: readonly Run[],
  references: ReadonlyMap<number, Run>,
  name: string,
): PairedRuns {
  const isPaired = new Map<number, boolean[]>();
  for (const run of runs) {
    const reference = references.get(run.evaluationSeed);
    if (reference === undefined || reference.e2e.length !== run.e2e.length) {
      throw new RangeError(
        `Cannot compare policies: ${name} must have run on the ${run.e2e.length} requests of evaluation seed ${run.evaluationSeed}, as ${run.policy} has, current count is ${
          reference?.e2e.length ?? 0
        }`,
      );
    }
    const before = isPaired.get(run.evaluationSeed);
    const here = run.e2e.map((seconds, i) =>
      Number.isFinite(seconds + reference.e2e[i]!) && (before?.[i] ?? true)
    );
    isPaired.set(run.evaluationSeed, here);
  }
  const pair = (column: "e2e" | "ttft"): PairedSample[] =>
    runs.map(({ trainingSeed, evaluationSeed, [column]: seconds }) => {
      const mask = isPaired.get(evaluationSeed)!;
      return {
        trainingSeed,
        evaluationSeed,
        baseline: references.get(evaluationSeed)![column].filter((_, i) => mask[i]),
        candidate: seconds.filter((_, i) => mask[i]),
      };
    });
  return { e2e: pair("e2e"), ttft: pair("ttft") };
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
