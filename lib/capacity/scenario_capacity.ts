/**
 * How much load a scenario carries.
 *
 * @module
 */
import { Rng } from "../random/mod.ts";
import { createRouter } from "../routing/mod.ts";
import type { ScenarioCapacity, ScenarioDefinition } from "../scenarios/mod.ts";
import { buildCluster, drawIncidents, Simulator } from "../simulator/mod.ts";
import { quantile } from "../stats/mod.ts";
import { relativeSpeeds } from "../timing/mod.ts";
import { openWorkload, scaleToRate, type Workload } from "../workload/mod.ts";
import { type CapacitySearch, searchCapacity } from "./search_capacity.ts";

/** Relative width of the last interval: finer than the seeds are sure of. */
const GRANULARITY = 0.01;

/**
 * Searches the highest rate at which a scenario keeps its objective, incidents included: the
 * quantile over the requests of all runs, one run a seed, the same requests at every rate.
 *
 * @param scenario Its capacity says by which router, objective, run length and seeds; the rate
 *   stored there is not read.
 * @throws {ConfigError} When the cluster cannot be built or the router is unknown.
 * @throws {RangeError} When a request does not fit a replica.
 */
export async function measureScenarioCapacity(
  { cluster, workload, incidents, capacity }: ScenarioDefinition,
): Promise<CapacitySearch> {
  const replicas = buildCluster(cluster);
  const speeds = relativeSpeeds(replicas);
  const source = await openWorkload(workload);
  const runs = capacity.seeds.map((seed) => {
    const rng = new Rng(seed).stream("capacity");
    return { rng, requests: source.sample(rng, { count: capacity.requests }, "validation") };
  });
  const measureRun = (requests: Workload, rng: Rng): Float64Array => {
    const { arrivalSeconds, count } = requests;
    const router = createRouter(capacity.router, {
      rng: rng.stream("router"),
      relativeSpeeds: speeds,
    });
    const simulator = new Simulator(requests, replicas, {
      observers: router.observer === undefined ? [] : [router.observer],
      incidents: drawIncidents(incidents, rng.stream("incidents"), {
        durationSeconds: arrivalSeconds[count - 1]!,
        replicaCount: replicas.length,
      }),
    });
    const { scheduledSeconds } = simulator.run((decision) => router.route(decision)).outcomes;
    return scheduledSeconds.map((seconds, i) => seconds - arrivalSeconds[i]!);
  };
  return searchCapacity((ratePerSecond) => {
    const delays = runs.map(({ requests, rng }) =>
      measureRun(scaleToRate(requests, ratePerSecond), rng)
    );
    return quantile(delays.flatMap((seconds) => [...seconds]), capacity.objective.quantile);
  }, {
    meetsSlo: (seconds) => seconds <= capacity.objective.limitSeconds,
    // Doubled from here: rates far above the capacity take longest to simulate.
    startRatePerSecond: 1,
    granularity: GRANULARITY,
  });
}

/** The scenario with the rate that a search found, to three significant digits. */
export function withCapacity(
  scenario: ScenarioDefinition,
  { ratePerSecond }: CapacitySearch,
): { readonly capacity: ScenarioCapacity } & ScenarioDefinition {
  const rounded = Number(ratePerSecond.toPrecision(3));
  return { ...scenario, capacity: { ...scenario.capacity, ratePerSecond: rounded } };
}
