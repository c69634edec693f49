// deno-lint-ignore-file no-console
/**
 * Cost of the simulator against the number of requests and of replicas, and where the time goes.
 *
 * Run with `deno run -A bench/simulator_scaling.ts`. Each row is the best of several runs in one
 * process; CPU time is that of the whole process (compiler and garbage collector included).
 */
import process from "node:process";
import { createLorQueueOnly } from "../lib/routing/mod.ts";
import { type RouteFunction, Simulator } from "../lib/simulator/mod.ts";
import { type GoldenScenario, hasGolden, loadGolden } from "./_golden_workload.ts";
import { profileSimulation } from "./_simulator_profile.ts";

const MICROSECONDS_PER_SECOND = 1e6;
const BYTES_PER_MIB = 2 ** 20;

interface Measurement {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly batchCount: number;
}

function measure(scenario: GoldenScenario, createRoute: () => RouteFunction): Measurement {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const { batchCount } = new Simulator(scenario.workload, scenario.replicas).run(createRoute());
  const wallSeconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { wallSeconds, cpuSeconds: (user + system) / MICROSECONDS_PER_SECOND, batchCount };
}

function report(label: string, scenario: GoldenScenario, createRoute: () => RouteFunction): void {
  const { count } = scenario.workload;
  const repeats = Math.max(2, Math.min(20, Math.ceil(100_000 / count)));
  const runs = Array.from({ length: repeats }, () => measure(scenario, createRoute));
  const best = runs.reduce((a, b) => b.wallSeconds < a.wallSeconds ? b : a);
  const cpuSeconds = Math.min(...runs.map((run) => run.cpuSeconds));
  const memory = process.memoryUsage();
  console.log(
    [
      label.padEnd(34),
      `${Math.round(count / best.wallSeconds)} requests/s`.padStart(20),
      `${(best.wallSeconds / count * MICROSECONDS_PER_SECOND).toFixed(2)} us/request`.padStart(18),
      `${(cpuSeconds / count * MICROSECONDS_PER_SECOND).toFixed(2)} us CPU`.padStart(16),
      `${Math.round(best.wallSeconds / best.batchCount * 1e9)} ns/batch`.padStart(14),
      `${Math.round(memory.rss / BYTES_PER_MIB)} MiB`.padStart(10),
    ].join(""),
  );
}

if (!hasGolden) {
  console.error("The recorded run is not there: expected ../shared/golden/vidur.");
  Deno.exit(1);
}
const scenario = await loadGolden();
const leastWaiting = (): RouteFunction => {
  const router = createLorQueueOnly();
  return (decision) => router.route(decision);
};

// First, because functions that were compiled before the profiler ran hide what they inlined.
for (const { name, share } of await profileSimulation(scenario(100_000), leastWaiting)) {
  console.log(`${name.padEnd(34)}${(share * 100).toFixed(1)} %`);
}
report("warm-up", scenario(5000), leastWaiting);
for (const count of [1000, 5000, 10_000, 100_000, 1_000_000]) {
  report(`${count} requests, 4 replicas`, scenario(count), leastWaiting);
}
for (const replicaCount of [4, 16, 64, 256, 1024]) {
  const roundRobin = (): RouteFunction => {
    let next = 0;
    return () => next++ % replicaCount;
  };
  report(`${replicaCount} replicas, round robin`, scenario(64_000, replicaCount), roundRobin);
}
