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
import { type CapacityProbe, type CapacitySearch, searchCapacity } from "./search_capacity.ts";
import { measureSlo, type Slo } from "./slo.ts";

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
 * @throws {ConfigError} When the cluster cannot be built or the router is unknown.
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
    const { outcomes } = simulator.run((decision) => router.route(decision));
    return measureSlo(workload, outcomes, task.slo);
  };
  const { limitSeconds } = task.slo;
  if (task.ratePerSecond === undefined) {
    return searchCapacity(measure, { limitSeconds, startRatePerSecond: replicas.length });
  }
  const probe = check(task.ratePerSecond, measure(task.ratePerSecond), limitSeconds);
  return {
    ratePerSecond: probe.meetsSlo ? probe.ratePerSecond : 0,
    probes: [probe],
    converged: true,
  };
}

function check(ratePerSecond: number, seconds: number, limitSeconds: number): CapacityProbe {
  return { ratePerSecond, seconds, meetsSlo: seconds <= limitSeconds };
}
