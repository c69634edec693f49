/**
 * Policies compared on the same requests.
 *
 * @module
 */
import { Rng } from "../random/mod.ts";
import type { Router } from "../routing/mod.ts";
import { type SimulationObserver, type SimulationResult, Simulator } from "../simulator/mod.ts";
import type { Workload } from "../workload/mod.ts";
import { createBaseline } from "./create_baseline.ts";
import { isEpisodeRouter } from "./episode_router.ts";
import { PolicyRouter } from "./policy_router.ts";
import type { Scenario } from "./scenario.ts";
import type { TrainedPolicy } from "./trained_policy.ts";

/** Something to evaluate: a name for tables and a fresh router a run. */
export interface RouterEntry {
  /** Name, distinct among those compared. */
  readonly label: string;
  /** Creates the router of one run. */
  create(rng: Rng): Router;
}

/** One run of one policy. */
export interface EvaluationRun {
  /** Name of the policy. */
  readonly label: string;
  /** Seed of the arrivals. */
  readonly evaluationSeed: number;
  /** The requests. */
  readonly workload: Workload;
  /** What happened to them. */
  readonly result: SimulationResult;
}

/** How to evaluate. */
export interface EvaluateOptions {
  /** Arrival seeds; the configuration's when left out. */
  readonly seeds?: readonly number[];
  /** Watchers of all runs, after the router's own. */
  readonly observers?: readonly SimulationObserver[];
  /** Called after every run. */
  readonly onRun?: (run: EvaluationRun) => void;
  /** Checked between runs. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs every policy on every seed's held-out arrivals. All policies get exactly the same requests
 * (common random numbers), so that differences between them are due to routing alone; a router's
 * own draws come from a stream of the seed and its name.
 *
 * @returns Runs, policy by policy, seeds in order within a policy.
 * @throws The signal's reason when it fires.
 *
 * @example
 * ```ts
 * import { parseExperimentConfig } from "@signalbox/signalbox/config";
 * import { evaluatePolicies, heuristicEntry, openScenario } from "@signalbox/signalbox/training";
 * import assert from "node:assert/strict";
 *
 * const scenario = await openScenario(
 *   parseExperimentConfig({ evaluation: { seeds: [1], requests: 100 } }),
 * );
 * const entries = ["random", "least_outstanding"].map((name) => heuristicEntry(scenario, name));
 * const [random, lor] = await evaluatePolicies(scenario, entries);
 * assert.deepEqual(random?.workload, lor?.workload);
 * assert.equal(lor?.result.unfinishedCount, 0);
 * ```
 */
export async function evaluatePolicies(
  scenario: Scenario,
  entries: readonly RouterEntry[],
  options: EvaluateOptions = {},
): Promise<EvaluationRun[]> {
  const { seeds = scenario.config.evaluation.seeds, observers = [], onRun, signal } = options;
  const runs: EvaluationRun[] = [];
  for (const entry of entries) {
    for (const evaluationSeed of seeds) {
      await new Promise((resolve) => setTimeout(resolve, 0)); // lets signals and messages in
      signal?.throwIfAborted();
      const workload = scenario.evaluationWorkload(evaluationSeed);
      const router = entry.create(new Rng(evaluationSeed).stream(`router ${entry.label}`));
      const result = simulateRouter(scenario, workload, router, evaluationSeed, observers);
      const run = { label: entry.label, evaluationSeed, workload, result };
      runs.push(run);
      onRun?.(run);
    }
  }
  return runs;
}

/** A router by name, see {@linkcode createBaseline}. */
export function heuristicEntry(scenario: Scenario, name: string): RouterEntry {
  const { relativeSpeeds, replicas: { length: replicaCount } } = scenario;
  return {
    label: name,
    create: (rng) => createBaseline(name, { rng, relativeSpeeds, replicaCount }),
  };
}

/** A trained policy, greedy or drawing from its distribution. */
export function policyEntry(
  trained: TrainedPolicy,
  label: string,
  sampling: "greedy" | "sampled",
): RouterEntry {
  return {
    label,
    create: (rng) => new PolicyRouter(trained, { sampler: sampling === "greedy" ? "greedy" : rng }),
  };
}

/** One simulation under one router. */
function simulateRouter(
  { replicas }: Scenario,
  workload: Workload,
  router: Router,
  predictionSeed: number,
  observers: readonly SimulationObserver[],
): SimulationResult {
  const simulator = new Simulator(workload, replicas, {
    observers: router.observer === undefined ? observers : [router.observer, ...observers],
  });
  if (isEpisodeRouter(router)) {
    const { arrivalSeconds } = workload;
    router.begin({ arrivalSeconds, oracle: simulator.oracle, predictionSeed });
  } else {
    router.reset?.();
  }
  return simulator.run((decision) => router.route(decision));
}
