/**
 * Policies compared on the same requests.
 *
 * @module
 */
import { Rng } from "../random/mod.ts";
import { OutputLengthPredictor, type Router } from "../routing/mod.ts";
import { type SimulationObserver, type SimulationResult, Simulator } from "../simulator/mod.ts";
import type { Workload } from "../workload/mod.ts";
import { createBaseline } from "./create_baseline.ts";
import { isEpisodeRouter } from "./episode_router.ts";
import { PolicyRouter } from "./policy_router.ts";
import type { EvaluationSplit, Scenario } from "./scenario.ts";
import type { TrainedPolicy } from "./trained_policy.ts";

/**
 * Something to evaluate: a name for tables and a fresh router a run. Entries of one name are one
 * policy under several training seeds.
 */
export interface RouterEntry {
  /** Name in tables. */
  readonly label: string;
  /** Seed that it was trained with, distinct among those of one label; null if it was not trained. */
  readonly trainingSeed: number | null;
  /** Creates the router of one run. */
  create(rng: Rng): Router;
}

/** One run of one policy. */
export interface EvaluationRun {
  /** Name of the policy. */
  readonly label: string;
  /** Seed that it was trained with, null if it was not trained. */
  readonly trainingSeed: number | null;
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
  /** What the arrivals are held out for; `test` by default. */
  readonly split?: EvaluationSplit;
  /** Watchers of all runs, after the router's own. */
  readonly observers?: readonly SimulationObserver[];
  /** Simulated time at which each run is cut off; `Infinity` by default. */
  readonly timeLimitSeconds?: number;
  /** Called after every run. */
  readonly onRun?: (run: EvaluationRun) => void;
  /** Checked between runs. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs every policy on every seed's held-out arrivals. All policies get exactly the same requests
 * (common random numbers), so that differences between them are due to routing alone; a router's
 * own draws come from a stream of the seed and its name, incidents from one of the seed alone.
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
  const { seeds = scenario.config.evaluation.seeds, split = "test" } = options;
  const { observers = [], timeLimitSeconds = Infinity, onRun, signal } = options;
  const runs: EvaluationRun[] = [];
  for (const entry of entries) {
    const { label, trainingSeed } = entry;
    for (const evaluationSeed of seeds) {
      await new Promise((resolve) => setTimeout(resolve, 0)); // lets signals and messages in
      signal?.throwIfAborted();
      const workload = scenario.evaluationWorkload(evaluationSeed, split);
      const rng = new Rng(evaluationSeed);
      const incidents = scenario.incidents(rng.stream(`${split} incidents`), workload);
      const router = entry.create(rng.stream(`router ${label}`));
      const result = simulateRouter({
        simulator: new Simulator(workload, scenario.replicas, {
          observers: router.observer === undefined ? observers : [router.observer, ...observers],
          incidents,
          timeLimitSeconds,
        }),
        arrivalSeconds: workload.arrivalSeconds,
        predictionSeed: evaluationSeed,
        router,
      });
      const run = { label, trainingSeed, evaluationSeed, workload, result };
      runs.push(run);
      onRun?.(run);
    }
  }
  return runs;
}

/** A router by name, see {@linkcode createBaseline}. */
export function heuristicEntry(scenario: Scenario, name: string): RouterEntry {
  const { relativeSpeeds, replicas: { length: replicaCount } } = scenario;
  let predictor: OutputLengthPredictor | undefined;
  const lengthPredictor = (): OutputLengthPredictor =>
    predictor ??= new OutputLengthPredictor(scenario.lengthSample());
  return {
    label: name,
    trainingSeed: null,
    create: (rng) => createBaseline(name, { rng, relativeSpeeds, replicaCount, lengthPredictor }),
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
    trainingSeed: trained.config.seed,
    create: (rng) => new PolicyRouter(trained, { sampler: sampling === "greedy" ? "greedy" : rng }),
  };
}

/** One simulation under one router. */
function simulateRouter({ simulator, router, ...run }: {
  readonly simulator: Simulator;
  readonly router: Router;
  readonly arrivalSeconds: Float64Array;
  readonly predictionSeed: number;
}): SimulationResult {
  if (isEpisodeRouter(router)) router.begin({ ...run, oracle: simulator.oracle });
  else router.reset?.();
  return simulator.run((decision) => router.route(decision));
}
