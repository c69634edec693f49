/**
 * The event loop.
 *
 * @module
 */
import type { Workload } from "../workload/mod.ts";
import type { ClusterView, OracleView } from "./cluster_view.ts";
import { orderIncidents, type ReplicaIncident } from "./incident.ts";
import { InstantKind, InstantQueue } from "./instant_queue.ts";
import { type EngineClock, LiveClusterView, LiveOracleView } from "./live_view.ts";
import type { ReplicaSpec } from "./replica_spec.ts";
import { ReplicaEngine } from "./replica_engine.ts";
import { ReplicaState } from "./replica_state.ts";
import { RequestTable } from "./request_table.ts";
import type {
  RouteFunction,
  RoutingDecision,
  SimulationObserver,
  SimulationResult,
} from "./simulation.ts";
import { checkSequencesFit } from "./sequence_capacity.ts";

/** How to run; everything may be left out. */
export interface SimulatorOptions {
  /** Watchers, called in this order. */
  readonly observers?: readonly SimulationObserver[];
  /** What happens to replicas during the run, in any order. */
  readonly incidents?: readonly ReplicaIncident[];
  /** Events after this simulated time do not happen; `Infinity` by default. */
  readonly timeLimitSeconds?: number;
}

/**
 * Discrete-event simulation of a cluster that serves a workload.
 *
 * Step it with {@linkcode Simulator.advance} and {@linkcode Simulator.assign}, or give
 * {@linkcode Simulator.run} a router. The order of events at equal times is Vidur's: what was due,
 * in order of creation, then what that creates (spec/simulator.md section 1).
 *
 * @example Two requests on one replica whose iterations take a second
 * ```ts
 * import { schedulerSchema, Simulator } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const replica = {
 *   gpu: "none",
 *   model: "none",
 *   tensorParallel: 1,
 *   stageCount: 1,
 *   kvBlocks: 100,
 *   maxBatchSize: 128,
 *   scheduler: schedulerSchema.parse({}),
 *   timer: { modelSeconds: () => 1, overheadSeconds: () => 0 },
 * };
 * const workload = {
 *   name: "two requests",
 *   count: 2,
 *   arrivalSeconds: Float64Array.of(0, 0.5),
 *   promptTokens: Int32Array.of(100, 200),
 *   outputTokens: Int32Array.of(3, 2),
 * };
 * const result = new Simulator(workload, [replica]).run(() => 0);
 * assert.deepEqual([...result.outcomes.firstTokenSeconds], [1, 2]);
 * assert.deepEqual([...result.outcomes.completedSeconds], [3, 3]);
 * ```
 */
export class Simulator {
  /** What a router may see. */
  readonly view: ClusterView;
  /** What only an oracle could see. */
  readonly oracle: OracleView;

  readonly #liveView: LiveClusterView;
  readonly #clock: EngineClock = { nowSeconds: 0, arrivedCount: 0, completedCount: 0 };
  readonly #limitSeconds: number;
  readonly #observers: readonly SimulationObserver[];
  readonly #incidents: readonly ReplicaIncident[];
  readonly #requests: RequestTable;
  readonly #replicas: readonly ReplicaState[];
  readonly #instant = new InstantQueue();
  readonly #engine: ReplicaEngine;
  readonly #unrouted: number[] = [];
  readonly #routedTo = new Set<number>();
  #unroutedHead = 0;
  #availableCount: number;
  #incidentCount = 0;
  #awaitsAssignment = false;

  /**
   * A run that has not begun.
   *
   * @param workload Requests in order of arrival.
   * @param replicas The cluster, at least one replica; they may differ.
   * @throws {RangeError} When the workload is out of order, has a request that some replica can
   *   never serve, or an incident is out of range.
   */
  constructor(
    workload: Workload,
    replicas: readonly ReplicaSpec[],
    options: SimulatorOptions = {},
  ) {
    const {
      observers = [],
      incidents = [],
      timeLimitSeconds = Infinity,
    } = options;
    if (replicas.length === 0) {
      throw new RangeError("Cannot simulate: replicas must be non-empty, current value is []");
    }
    if (!(timeLimitSeconds >= 0)) {
      throw new RangeError(
        `Cannot simulate: timeLimitSeconds must be >= 0, current value is ${timeLimitSeconds}`,
      );
    }
    this.#limitSeconds = timeLimitSeconds;
    this.#observers = observers;
    this.#incidents = orderIncidents(incidents, replicas.length);
    this.#requests = new RequestTable(workload);
    checkSequencesFit(workload, replicas);
    this.#replicas = replicas.map((spec, i) => new ReplicaState(i, spec, this.#requests));
    this.#availableCount = replicas.length;
    this.#engine = new ReplicaEngine({
      requests: this.#requests,
      replicas: this.#replicas,
      clock: this.#clock,
      instant: this.#instant,
      observers,
    });
    this.#liveView = new LiveClusterView(
      this.#clock,
      this.#requests,
      this.#replicas,
      workload.priority,
    );
    this.view = this.#liveView;
    this.oracle = new LiveOracleView(workload.outputTokens, this.#replicas);
  }

  /**
   * Runs until a request has to be routed.
   *
   * @returns The decision, to be answered by {@linkcode Simulator.assign}; `undefined` when the run
   *   is over.
   * @throws {Error} When the last decision has not been answered.
   */
  advance(): RoutingDecision | undefined {
    if (this.#awaitsAssignment) {
      throw new Error("Cannot advance: the request of the last decision has not been assigned");
    }
    for (;;) {
      while (!this.#instant.isEmpty) {
        const decision = this.#handleInstant();
        if (decision !== undefined) return decision;
      }
      if (!this.#step()) return undefined;
    }
  }

  /**
   * Hands the request of the last decision to a replica.
   *
   * @throws {RangeError} When the replica does not exist or is not available.
   * @throws {Error} When there is no decision to answer.
   */
  assign(replicaIndex: number): void {
    if (!this.#awaitsAssignment) {
      throw new Error("Cannot assign: no request waits to be routed; call advance() first");
    }
    const replica = this.#replicas[replicaIndex];
    if (replica === undefined || !replica.isAvailable) {
      throw new RangeError(
        `Cannot assign: replicaIndex must be an available replica in [0, ${this.#replicas.length}), current value is ${replicaIndex}`,
      );
    }
    this.#awaitsAssignment = false;
    const request = this.#unrouted[this.#unroutedHead++]!;
    if (this.#unroutedHead === this.#unrouted.length) {
      this.#unrouted.length = 0;
      this.#unroutedHead = 0;
    }
    replica.enqueue(request);
    this.#requests.replica[request] = replicaIndex;
    this.#routedTo.add(replicaIndex);
    for (const observer of this.#observers) {
      observer.onRouted?.(request, replicaIndex, this.#clock.nowSeconds);
    }
  }

  /** Runs to the end, asking `route` for every decision. */
  run(route: RouteFunction): SimulationResult {
    for (let decision = this.advance(); decision !== undefined; decision = this.advance()) {
      this.assign(route(decision));
    }
    return this.result();
  }

  /**
   * Prompt length of every request as its last restart left it (spec/simulator.md section 2,
   * `restart`): the tokens that were computed before the next output token could be sampled. A copy.
   */
  promptTokensAfterRestarts(): Int32Array {
    return this.#requests.promptColumn();
  }

  /** What has happened so far; O(number of requests), the columns are copies. */
  result(): SimulationResult {
    return {
      outcomes: this.#requests.outcomes(),
      endSeconds: this.#clock.nowSeconds,
      batchCount: this.#engine.batchCount,
      eventCount: this.#engine.eventCount,
      unfinishedCount: this.#requests.count - this.#clock.completedCount,
    };
  }

  /** Moves the clock to the next thing that is due; false when nothing is. */
  #step(): boolean {
    const clock = this.#clock;
    const { arrivalSeconds, count } = this.#requests;
    const completion = this.#engine.nextCompletionSeconds();
    const arrival = clock.arrivedCount < count ? arrivalSeconds[clock.arrivedCount]! : Infinity;
    const work = completion < arrival ? completion : arrival;
    if (work === Infinity && this.#unrouted.length === 0) return false;
    const incident = this.#incidents[this.#incidentCount];
    const strikes = incident !== undefined && incident.atSeconds <= work;
    const now = strikes ? incident.atSeconds : work;
    if (now === Infinity) return false;
    if (now > this.#limitSeconds) {
      clock.nowSeconds = this.#limitSeconds;
      return false;
    }
    clock.nowSeconds = now;
    if (strikes) {
      this.#apply(incident);
      return true;
    }
    if (arrival === now) this.#arrive(now);
    if (completion === now) this.#engine.complete(now);
    return true;
  }

  /** Lets an incident happen. */
  #apply(incident: ReplicaIncident): void {
    this.#incidentCount++;
    const replica = this.#replicas[incident.replica]!;
    switch (incident.kind) {
      case "slowdown":
        replica.slowdown = incident.factor;
        return;
      case "drain":
        this.#setAvailable(replica, false);
        return;
      case "recover":
        replica.slowdown = 1;
        this.#setAvailable(replica, true);
        break;
      case "fail":
        this.#setAvailable(replica, false);
        this.#requeue(this.#engine.evacuate(incident.replica), incident.replica);
    }
    if (this.#unrouted.length > 0) this.#instant.push(InstantKind.route);
  }

  #setAvailable(replica: ReplicaState, isAvailable: boolean): void {
    if (replica.isAvailable !== isAvailable) this.#availableCount += isAvailable ? 1 : -1;
    replica.isAvailable = isAvailable;
  }

  /** Puts requests of a failed replica back among the unrouted ones, all in order of arrival. */
  #requeue(requests: readonly number[], from: number): void {
    const waiting = this.#unrouted.splice(0).slice(this.#unroutedHead);
    this.#unroutedHead = 0;
    for (const request of [...waiting, ...requests].sort((a, b) => a - b)) {
      this.#unrouted.push(request);
    }
    for (const request of requests) {
      this.#requests.replica[request] = -1;
      for (const observer of this.#observers) {
        observer.onRequeued?.(request, from, this.#clock.nowSeconds);
      }
    }
  }

  /** Takes in all requests that arrive now. */
  #arrive(now: number): void {
    const clock = this.#clock;
    const { arrivalSeconds, count } = this.#requests;
    while (clock.arrivedCount < count && arrivalSeconds[clock.arrivedCount] === now) {
      this.#unrouted.push(clock.arrivedCount++);
      this.#engine.eventCount += 2;
    }
    this.#instant.push(InstantKind.route);
  }

  #handleInstant(): RoutingDecision | undefined {
    const { kind, first, second } = this.#instant;
    if (kind === InstantKind.route) return this.#route();
    this.#instant.shift();
    this.#engine.handle(kind, first, second);
    return undefined;
  }

  /** Offers the next unrouted request, or lets the replicas that got some form batches. */
  #route(): RoutingDecision | undefined {
    if (this.#unroutedHead < this.#unrouted.length && this.#availableCount > 0) {
      this.#awaitsAssignment = true;
      const request = this.#unrouted[this.#unroutedHead]!;
      return {
        nowSeconds: this.#clock.nowSeconds,
        request: this.#liveView.request(request),
        view: this.view,
      };
    }
    this.#instant.shift();
    const replicas = [...this.#routedTo].sort((a, b) => a - b);
    for (const replica of replicas) this.#instant.push(InstantKind.schedule, replica);
    this.#routedTo.clear();
    return undefined;
  }
}
