/**
 * What a trained policy looks at: its probabilities, had a decision been slightly another.
 *
 * @module
 */
import { Rng } from "../random/mod.ts";
import {
  type ClusterView,
  type RequestView,
  type RoutingDecision,
  type SimulationObserver,
  Simulator,
} from "../simulator/mod.ts";
import { StateBuilder, type StateEpisode } from "../state/mod.ts";
import type { EpisodeRouter } from "./episode_router.ts";
import type { EvaluationSplit, Scenario } from "./scenario.ts";
import type { TrainedPolicy } from "./trained_policy.ts";

/** Mean probability of a replica, had one thing been another. */
export interface DependencePoint {
  /** What is varied: the request's prompt, or the requests at `replica` itself. */
  readonly feature: "prompt_tokens" | "outstanding_requests";
  /** What it is set to. */
  readonly value: number;
  /** Replica whose probability it is. */
  readonly replica: number;
  /** Mean over decisions, in [0, 1]. */
  readonly probability: number;
}

/** How to measure. */
export interface DependenceOptions {
  /** Evaluation seed whose arrivals are routed; the configuration's first by default. */
  readonly seed?: number;
  /** What those arrivals are held out for; `test` by default. */
  readonly split?: EvaluationSplit;
  /** Decisions from one that is varied to the next; 10 by default. */
  readonly every?: number;
  /** Prompt lengths to try. */
  readonly promptTokens?: readonly number[];
  /** Numbers of requests at a replica to try; beyond its batch they wait. */
  readonly outstandingRequests?: readonly number[];
}

/** From a few words to a long document, in equal ratios. */
const PROMPT_TOKENS = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

/** From idle to a full batch. */
const OUTSTANDING_REQUESTS = [0, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128];

/**
 * Partial dependence of a trained policy's probabilities on the prompt length and on the number of
 * requests at a replica: the policy routes a run greedily, and at every `every`-th decision it is
 * asked again with that one thing changed and all else as it was. Averaged over decisions.
 *
 * Changing one thing alone makes some moments that never occur, e.g. many requests and few KV
 * blocks: read the curves where the cluster has been.
 *
 * Source: J. Friedman, "Greedy function approximation: a gradient boosting machine", Annals of
 * Statistics 29 (2001), section 8.2.
 *
 * @returns Points by feature, value and replica, in this order.
 * @throws {UsageError} When the policy is for another number of replicas.
 *
 * @example What a policy that has hardly been trained does with a long prompt
 * ```ts
 * import { parseExperimentConfig } from "@signalbox/signalbox/config";
 * import { Rng } from "@signalbox/signalbox/random";
 * import {
 *   measureDependence,
 *   openScenario,
 *   trainPolicy,
 *   useSimdBackend,
 * } from "@signalbox/signalbox/training";
 * import assert from "node:assert/strict";
 *
 * await useSimdBackend();
 * const scenario = await openScenario(parseExperimentConfig({
 *   cluster: { replicas: [{ gpu: "h100" }, { gpu: "a40" }] },
 *   state: { layout: "signalbox" },
 *   policy: { kind: "mlp", hiddenSizes: [8] },
 *   training: { decisions: 32, environments: 1, episodeRequests: 40 },
 *   evaluation: { seeds: [101], requests: 40 },
 * }));
 * const trained = await trainPolicy(scenario, { rng: new Rng(1) });
 * const points = measureDependence(scenario, trained, {
 *   promptTokens: [4000],
 *   outstandingRequests: [],
 * });
 * trained.policy.dispose();
 * assert.ok(Math.abs(points[0]!.probability + points[1]!.probability - 1) < 1e-5);
 * ```
 */
export function measureDependence(
  scenario: Scenario,
  trained: TrainedPolicy,
  options: DependenceOptions = {},
): DependencePoint[] {
  const { seed = scenario.config.evaluation.seeds[0]!, split = "test" } = options;
  const workload = scenario.evaluationWorkload(seed, split);
  const probe = new DependenceProbe(trained, options);
  const simulator = new Simulator(workload, scenario.replicas, {
    observers: [probe.observer],
    incidents: scenario.incidents(new Rng(seed).stream(`${split} incidents`), workload),
  });
  const { arrivalSeconds } = workload;
  probe.begin({ arrivalSeconds, oracle: simulator.oracle, predictionSeed: seed });
  simulator.run((decision) => probe.route(decision));
  return probe.points();
}

/** One thing changed. */
interface Variation {
  readonly feature: DependencePoint["feature"];
  readonly value: number;
  /** Replica that is changed; null when the request is. */
  readonly replica: number | null;
}

/** Routes greedily and asks "what if" now and then. */
class DependenceProbe implements EpisodeRouter {
  readonly name = "dependence_probe";
  readonly #trained: TrainedPolicy;
  readonly #stateBuilder: StateBuilder;
  readonly #every: number;
  readonly #variations: readonly Variation[];
  /** Probabilities summed over decisions, `[variations, replicas]`, and decisions counted. */
  readonly #sums: Float64Array;
  readonly #counts: Float64Array;
  #hiddenState: Float32Array;
  #decisionCount = 0;

  constructor(trained: TrainedPolicy, options: DependenceOptions) {
    const { config, replicaCount, policy } = trained;
    const { promptTokens = PROMPT_TOKENS, outstandingRequests = OUTSTANDING_REQUESTS } = options;
    this.#trained = trained;
    this.#stateBuilder = new StateBuilder(config.state, replicaCount);
    this.#every = options.every ?? 10;
    this.#variations = [
      ...promptTokens.map((value) =>
        ({ feature: "prompt_tokens", value, replica: null }) satisfies Variation
      ),
      ...outstandingRequests.flatMap((value) =>
        Array.from(
          { length: replicaCount },
          (_, replica) => ({ feature: "outstanding_requests", value, replica }) satisfies Variation,
        )
      ),
    ];
    this.#sums = new Float64Array(this.#variations.length * replicaCount);
    this.#counts = new Float64Array(this.#sums.length);
    this.#hiddenState = policy.initialHiddenStates(1);
  }

  get observer(): SimulationObserver {
    return this.#stateBuilder;
  }

  begin(episode: StateEpisode): void {
    this.#stateBuilder.reset(episode);
    this.#hiddenState = this.#trained.policy.initialHiddenStates(1);
    this.#decisionCount = 0;
  }

  route(decision: RoutingDecision): number {
    const whatIf = new WhatIf(decision);
    this.#stateBuilder.observe(whatIf);
    if (this.#decisionCount % this.#every === 0) this.#vary(whatIf);
    const { actions, hiddenStates } = this.#ask(whatIf, [undefined]);
    this.#hiddenState = hiddenStates;
    this.#decisionCount++;
    return actions[0]!;
  }

  points(): DependencePoint[] {
    const { replicaCount } = this.#trained;
    return this.#variations.flatMap(({ feature, value, replica: varied }, v) =>
      Array.from({ length: replicaCount }, (_, replica) => ({ replica, v }))
        .filter(({ replica }) => varied === null || varied === replica)
        .filter(({ replica }) => this.#counts[v * replicaCount + replica]! > 0)
        .map(({ replica }) => {
          const at = v * replicaCount + replica;
          return { feature, value, replica, probability: this.#sums[at]! / this.#counts[at]! };
        })
    );
  }

  /** Asks all variations at once; a replica that is down has no probability to speak of. */
  #vary(whatIf: WhatIf): void {
    const { replicaCount } = this.#trained;
    const { logProbabilities } = this.#ask(whatIf, this.#variations);
    for (let v = 0; v < this.#variations.length; v++) {
      for (let r = 0; r < replicaCount; r++) {
        if (!whatIf.view.isAvailable(r)) continue;
        const at = v * replicaCount + r;
        this.#sums[at]! += Math.exp(logProbabilities[at]!);
        this.#counts[at]!++;
      }
    }
  }

  #ask(whatIf: WhatIf, variations: readonly (Variation | undefined)[]) {
    const { policy, normalizer, replicaCount } = this.#trained;
    const { size } = this.#stateBuilder;
    const rows = variations.length;
    const observations = new Float32Array(rows * size);
    variations.forEach((variation, row) => {
      const observation = observations.subarray(row * size, (row + 1) * size);
      whatIf.variation = variation;
      this.#stateBuilder.build(whatIf, observation);
      normalizer.normalize(observation, observation);
    });
    const mask = Uint8Array.from(
      { length: replicaCount },
      (_, r) => whatIf.view.isAvailable(r) ? 1 : 0,
    );
    return policy.act(observations, {
      sampler: "greedy",
      hiddenStates: repeat(this.#hiddenState, rows),
      episodeStarts: new Uint8Array(rows).fill(this.#decisionCount === 0 ? 1 : 0),
      actionMasks: Uint8Array.from(repeat(Float32Array.from(mask), rows)),
    });
  }
}

function repeat(row: Float32Array, count: number): Float32Array {
  const rows = new Float32Array(row.length * count);
  for (let i = 0; i < count; i++) rows.set(row, i * row.length);
  return rows;
}

/** A decision that says something else of its prompt or of one replica while it is varied. */
class WhatIf implements RoutingDecision {
  readonly nowSeconds: number;
  readonly view: ClusterView;
  variation: Variation | undefined;
  readonly #decision: RoutingDecision;

  constructor(decision: RoutingDecision) {
    const { view } = decision;
    this.#decision = decision;
    this.nowSeconds = decision.nowSeconds;
    const count = (replica: number): number | undefined =>
      this.variation?.replica === replica ? this.variation.value : undefined;
    const cap = (replica: number): number => view.batchSizeCap(replica);
    const overrides: Partial<ClusterView> = {
      outstandingCount: (r) => count(r) ?? view.outstandingCount(r),
      runningCount: (r) => {
        const varied = count(r);
        return varied === undefined ? view.runningCount(r) : Math.min(varied, cap(r));
      },
      waitingCount: (r) => {
        const varied = count(r);
        return varied === undefined ? view.waitingCount(r) : Math.max(0, varied - cap(r));
      },
    };
    this.view = new Proxy(view, {
      get(target, key): unknown {
        if (Object.hasOwn(overrides, key)) return overrides[key as keyof ClusterView];
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  get request(): RequestView {
    const { request } = this.#decision;
    if (this.variation?.feature !== "prompt_tokens") return request;
    const { index, arrivalSeconds, processedTokens, priority } = request;
    return {
      index,
      arrivalSeconds,
      processedTokens,
      priority,
      promptTokens: this.variation.value,
    };
  }
}
