/**
 * What a policy sees, for people to look at.
 *
 * @module
 */
import type { Router } from "../routing/mod.ts";
import type { RoutingDecision, SimulationObserver } from "../simulator/mod.ts";
import { StateBuilder, type StateConfig, type StateEpisode } from "../state/mod.ts";
import { type EpisodeRouter, isEpisodeRouter } from "./episode_router.ts";
import type { RouterEntry } from "./evaluate_policies.ts";
import { PolicyRouter } from "./policy_router.ts";

/** An observation by the names of its numbers. */
export interface NamedObservation {
  /** Features of each replica. */
  readonly replicas: readonly Readonly<Record<string, number>>[];
  /** Features of the request to be routed; layout `vidurrl` has none. */
  readonly request: Readonly<Record<string, number>>;
  /** Features of the system. */
  readonly global: Readonly<Record<string, number>>;
}

/** One decision with what was seen. */
export interface StateDumpRecord extends NamedObservation {
  /** Decision of the run, from 0. */
  readonly decision: number;
  /** Simulated time in seconds. */
  readonly nowSeconds: number;
  /** Row of the request in the workload. */
  readonly requestIndex: number;
  /** Replica chosen. */
  readonly action: number;
  /** Trained policies: the observation as the network gets it. */
  readonly normalized?: NamedObservation;
  /** Trained policies: probability of each replica. */
  readonly probabilities?: readonly number[];
  /** Trained policies: the critic's output, in the units that it was trained in. */
  readonly value?: number;
}

/** What to dump. */
export interface StateDumpOptions {
  /** How observations of routers are built; trained policies have their own. */
  readonly state: StateConfig;
  /** Decisions to dump, from 0. */
  readonly decisions: ReadonlySet<number>;
  /** Takes a record, in the order of decisions. */
  readonly write: (record: StateDumpRecord) => void;
}

/**
 * Looks over the shoulder of a router: builds the observation at chosen decisions, whatever routes,
 * and does not change what it does. Register it as an observer of the run and evaluate the entry
 * that {@linkcode StateDump.watch} returns. Source: the debug dump of spec/scheduler.md section 11.
 *
 * @example
 * ```ts
 * import { parseExperimentConfig } from "@signalbox/signalbox/config";
 * import {
 *   evaluatePolicies,
 *   heuristicEntry,
 *   openScenario,
 *   StateDump,
 *   type StateDumpRecord,
 * } from "@signalbox/signalbox/training";
 * import assert from "node:assert/strict";
 *
 * const scenario = await openScenario(
 *   parseExperimentConfig({ evaluation: { seeds: [1], requests: 10 } }),
 * );
 * const records: StateDumpRecord[] = [];
 * const dump = new StateDump({
 *   state: scenario.config.state,
 *   decisions: new Set([0, 7]),
 *   write: (record) => records.push(record),
 * });
 * const entry = dump.watch(heuristicEntry(scenario, "least_outstanding"));
 * await evaluatePolicies(scenario, [entry], { observers: [dump] });
 * assert.deepEqual(records.map(({ decision }) => decision), [0, 7]);
 * assert.equal(records[0]?.replicas.length, scenario.replicas.length);
 * ```
 */
export class StateDump implements SimulationObserver {
  readonly #options: StateDumpOptions;
  #builder: StateBuilder | undefined;
  #pending: StateEpisode | undefined;
  #decision = 0;

  /** A dump that has seen nothing. */
  constructor(options: StateDumpOptions) {
    this.#options = options;
  }

  /** The same policy, watched. */
  watch(entry: RouterEntry): RouterEntry {
    return { ...entry, create: (rng) => this.#watched(entry.create(rng)) };
  }

  /** Takes in that a request was handed to a replica. */
  onRouted(request: number, replica: number, nowSeconds: number): void {
    this.#builder?.onRouted(request, replica, nowSeconds);
  }

  /** Takes in that a request lost its replica. */
  onRequeued(request: number, replica: number, nowSeconds: number): void {
    this.#builder?.onRequeued(request, replica, nowSeconds);
  }

  /** Takes in a request's first token. */
  onFirstToken(request: number, replica: number, nowSeconds: number): void {
    this.#builder?.onFirstToken(request, replica, nowSeconds);
  }

  /** Takes in a request's completion. */
  onCompleted(request: number, replica: number, nowSeconds: number): void {
    this.#builder?.onCompleted(request, replica, nowSeconds);
  }

  #watched(router: Router): EpisodeRouter {
    const { name, observer } = router;
    return {
      name,
      ...(observer !== undefined && { observer }),
      begin: (episode) => {
        if (isEpisodeRouter(router)) router.begin(episode);
        else router.reset?.();
        this.#builder = undefined;
        this.#pending = episode;
        this.#decision = 0;
      },
      route: (decision) => this.#route(router, decision),
    };
  }

  #route(router: Router, decision: RoutingDecision): number {
    const builder = this.#builder ??= this.#begin(router, decision.view.replicaCount);
    builder.observe(decision);
    const index = this.#decision++;
    if (!this.#options.decisions.has(index)) return router.route(decision);
    const raw = builder.build(decision, new Float32Array(builder.size));
    const action = router.route(decision);
    const seen = router instanceof PolicyRouter ? router.lastDecision : undefined;
    this.#options.write({
      decision: index,
      nowSeconds: decision.nowSeconds,
      requestIndex: decision.request.index,
      action,
      ...nameFeatures(builder, raw),
      ...(seen && {
        normalized: nameFeatures(builder, seen.observation),
        probabilities: Array.from(seen.logProbabilities, Math.exp),
        value: seen.value,
      }),
    });
    return action;
  }

  /** Nothing happens before the first decision that a builder would have to see. */
  #begin(router: Router, replicaCount: number): StateBuilder {
    const state = router instanceof PolicyRouter ? router.stateConfig : this.#options.state;
    const builder = new StateBuilder(state, replicaCount);
    builder.reset(this.#pending!);
    return builder;
  }
}

/** Cuts an observation into replicas, request and system. */
function nameFeatures(
  { layout, featureNames }: StateBuilder,
  values: Float32Array,
): NamedObservation {
  const { replicaCount, perReplicaSize } = layout;
  const slice = (from: number, to: number, prefix: string): [string, number][] =>
    Array.from(values.subarray(from, to), (value, i) => [
      featureNames[from + i]!.slice(prefix.length),
      value,
    ]);
  const rest = slice(replicaCount * perReplicaSize, layout.size, "");
  const isOfRequest = ([name]: [string, number]): boolean => name.startsWith("request_");
  return {
    replicas: Array.from({ length: replicaCount }, (_, r) =>
      Object.fromEntries(
        slice(r * perReplicaSize, (r + 1) * perReplicaSize, `replica_${r}_`),
      )),
    request: Object.fromEntries(rest.filter(isOfRequest)),
    global: Object.fromEntries(rest.filter((entry) => !isOfRequest(entry))),
  };
}
