/**
 * Many clusters at once.
 *
 * @module
 */
import { Rng } from "../random/mod.ts";
import { createRouter } from "../routing/mod.ts";
import { buildCluster } from "../simulator/mod.ts";
import { UsageError } from "../support/mod.ts";
import { runPool, type WorkerFailure } from "../sweep/mod.ts";
import { relativeSpeeds } from "../timing/mod.ts";
import { type Candidate, dollarsPerHour } from "./candidate.ts";
import type { CapacityTask } from "./capacity_task.ts";
import type { CapacitySearch } from "./search_capacity.ts";

/** What is asked of every candidate. */
export interface CompareCapacityOptions extends Omit<CapacityTask, "cluster"> {
  /** Largest number of workers. */
  readonly jobs: number;
  /** Stops everything. */
  readonly signal?: AbortSignal;
}

/** A candidate's result. */
export interface CapacityRow {
  /** Name of the candidate. */
  readonly name: string;
  /** Its price. */
  readonly dollarsPerHour: number;
  /** Its search, or check of the given rate. */
  readonly search: CapacitySearch;
  /** Requests served per US dollar at its rate, 0 when it meets the objective at none. */
  readonly requestsPerDollar: number;
}

const SECONDS_PER_HOUR = 3600;

/**
 * Measures every candidate on the same requests, in parallel.
 *
 * @returns One row a candidate, in their order.
 * @throws {ConfigError} When a cluster cannot be built, has no price, or the router is unknown.
 * @throws {UsageError} When the requests cannot be read or do not fit a cluster.
 * @throws {Error} When a worker fails otherwise; the message names the candidate.
 */
export async function compareCapacity(
  candidates: readonly Candidate[],
  options: CompareCapacityOptions,
): Promise<CapacityRow[]> {
  const { jobs, signal, ...shared } = options;
  const prices = candidates.map(dollarsPerHour);
  for (const { cluster } of candidates) {
    // Refused here, where the error is still of its class, and before any worker starts.
    const speeds = relativeSpeeds(buildCluster(cluster));
    createRouter(shared.router, { rng: new Rng(shared.seed), relativeSpeeds: speeds });
  }
  const tasks = candidates.map(({ cluster }): CapacityTask => ({ ...shared, cluster }));
  const outcomes = await runPool<CapacityTask, never, CapacitySearch>(tasks, {
    jobs,
    signal,
    retries: 0,
    createWorker: () =>
      new Worker(new URL("./_capacity_worker.ts", import.meta.url), { type: "module" }),
  });
  return outcomes.map((outcome, i) => {
    const { name } = candidates[i]!;
    if (!outcome.ok) throw revive(name, outcome.error);
    return {
      name,
      dollarsPerHour: prices[i]!,
      search: outcome.output,
      requestsPerDollar: outcome.output.ratePerSecond * SECONDS_PER_HOUR / prices[i]!,
    };
  });
}

/**
 * The cheapest candidate that meets the objective, `undefined` when none does; the first of equals.
 */
export function cheapest(rows: readonly CapacityRow[]): CapacityRow | undefined {
  let best: CapacityRow | undefined;
  for (const row of rows) {
    if (row.search.ratePerSecond === 0) continue;
    if (best === undefined || row.dollarsPerHour < best.dollarsPerHour) best = row;
  }
  return best;
}

/** Errors by which the workload is refused. */
const REFUSALS: readonly string[] = ["ConfigError", "TraceError", "RangeError"];

/** A worker's failure as an error on this side, with the candidate's name. */
function revive(candidate: string, failure: WorkerFailure): Error {
  const message = `Cannot measure ${candidate}: ${failure.message}`;
  return REFUSALS.includes(failure.name)
    ? new UsageError(message)
    : new Error(message, { cause: failure });
}
