/**
 * One cluster's capacity.
 *
 * @module
 */
import { Rng } from "../random/mod.ts";
import { createRouter } from "../routing/mod.ts";
import { buildCluster, type ClusterConfig, Simulator } from "../simulator/mod.ts";
import { relativeSpeeds } from "../timing/mod.ts";
import { openWorkload, scaleToRate, type WorkloadConfig } from "../workload/mod.ts";
import { type CapacitySearch, searchCapacity } from "./search_capacity.ts";
import { keepsSlo, measureSlo, type Slo } from "./slo.ts";

/** A cluster to be measured; plain data, so that a worker can be sent it. */
export interface CapacityTask {
  /** The cluster. */
  readonly cluster: ClusterConfig;
  /** Where its requests come from; only their rate is changed. */
  readonly workload: WorkloadConfig;
  /** Name of the router. */
  readonly router: string;
  /** What has to be kept. */
  readonly slo: Slo;
  /** Requests per simulated run. */
  readonly requests: number;
  /** Seed of arrivals, lengths and router: the same requests at every rate and on every cluster. */
  readonly seed: number;
  /** Rate to check, in requests per second; left out, the highest one is searched. */
  readonly ratePerSecond?: number;
}

/**
 * Searches the highest rate of a cluster, or checks the given one.
 *
 * @returns As {@linkcode searchCapacity}; a check is a search with one probe.
 * @throws {ConfigError} When the cluster cannot be built, the router is unknown, or the requests lack
 *   the targets that the objective is about.
 */
export async function measureCapacity(task: CapacityTask): Promise<CapacitySearch> {
  const replicas = buildCluster(task.cluster);
  const source = await openWorkload(task.workload);
  const requests = source.sample(new Rng(task.seed), { count: task.requests }, "all");
  const speeds = relativeSpeeds(replicas);
  const measure = (ratePerSecond: number): number => {
    const rng = new Rng(task.seed).stream("router");
    const router = createRouter(task.router, { rng, relativeSpeeds: speeds });
    const workload = scaleToRate(requests, ratePerSecond);
    const observers = router.observer === undefined ? [] : [router.observer];
    const simulator = new Simulator(workload, replicas, { observers });
    return measureSlo(workload, simulator.run((decision) => router.route(decision)), task.slo);
  };
  const meetsSlo = (value: number): boolean => keepsSlo(task.slo, value);
  const { ratePerSecond } = task;
  if (ratePerSecond === undefined) {
    return searchCapacity(measure, { meetsSlo, startRatePerSecond: replicas.length });
  }
  const value = measure(ratePerSecond);
  return {
    ratePerSecond: meetsSlo(value) ? ratePerSecond : 0,
    probes: [{ ratePerSecond, value, meetsSlo: meetsSlo(value) }],
    converged: true,
  };
}
