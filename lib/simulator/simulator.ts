/**
 * The event loop.
 *
 * @module
 */
import type { Workload } from "../workload/mod.ts";
import type { Batch } from "./batch.ts";
import type { ClusterView, OracleView } from "./cluster_view.ts";
import { EventHeap } from "./event_heap.ts";
import { InstantKind, InstantQueue } from "./instant_queue.ts";
import { type EngineClock, LiveClusterView, LiveOracleView } from "./live_view.ts";
import type { ReplicaSpec } from "./replica_spec.ts";
import { ReplicaState } from "./replica_state.ts";
import { RequestTable } from "./request_table.ts";
import { createReplicaScheduler, type ReplicaScheduler } from "./schedulers/mod.ts";
import { createBatchRecord, type MutableBatchRecord } from "./batch_record.ts";
import type {
  RouteFunction,
  RoutingDecision,
  SimulationObserver,
  SimulationResult,
} from "./simulation.ts";
import { checkSequencesFit } from "./sequence_capacity.ts";
import { StageTable } from "./stage_table.ts";

/** How to run; everything may be left out. */
export interface SimulatorOptions {
  /** Watchers, called in this order. */
  readonly observers?: readonly SimulationObserver[];
  /** Events after this simulated time do not happen; `Infinity` by default. */
  readonly timeLimitSeconds?: number;
  /** `"vidur"` reproduces Vidur bit for bit, its accidents included (spec/simulator.md). */
  readonly compat?: "none" | "vidur";
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
  readonly #requests: RequestTable;
  readonly #replicas: readonly ReplicaState[];
  readonly #schedulers: readonly ReplicaScheduler[];
  readonly #stages: StageTable;
  readonly #completions: EventHeap;
  readonly #instant = new InstantQueue();
  readonly #unrouted: number[] = [];
  #unroutedHead = 0;
  #availableCount: number;
  readonly #record: MutableBatchRecord = createBatchRecord();
  readonly #routedTo = new Set<number>();
  #awaitsAssignment = false;
  #batchCount = 0;
  #eventCount = 0;

  /**
   * @param workload Requests in order of arrival.
   * @param replicas The cluster, at least one replica; they may differ.
   * @throws {RangeError} When the workload is out of order or has a request that fits no replica.
   */
  constructor(
    workload: Workload,
    replicas: readonly ReplicaSpec[],
    options: SimulatorOptions = {},
  ) {
    const { observers = [], timeLimitSeconds = Infinity, compat = "none" } = options;
    if (replicas.length === 0) {
      throw new RangeError("Cannot simulate: replicas must be non-empty, current value is []");
    }
    if (!(timeLimitSeconds >= 0)) {
      throw new RangeError(
        `Cannot simulate: timeLimitSeconds must be >= 0, current value is ${timeLimitSeconds}`,
      );
    }
    const vidur = compat === "vidur";
    this.#limitSeconds = timeLimitSeconds;
    this.#observers = observers;
    this.#requests = new RequestTable(workload);
    if (!vidur) checkSequencesFit(workload, replicas);
    this.#replicas = replicas.map((spec, i) => new ReplicaState(i, spec, this.#requests, vidur));
    this.#schedulers = this.#replicas.map((replica) => createReplicaScheduler(replica, vidur));
    this.#stages = new StageTable(replicas);
    this.#availableCount = replicas.length;
    this.#completions = new EventHeap(this.#stages.count);
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
    this.#requests.outcomes.replica[request] = replicaIndex;
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
   * `restart`): the tokens that were computed before the next output token could be sampled.
   */
  get promptTokensAfterRestarts(): Int32Array {
    return this.#requests.promptTokens;
  }

  /** What has happened so far; the columns are the simulator's own and go on changing with it. */
  result(): SimulationResult {
    return {
      outcomes: this.#requests.outcomes,
      endSeconds: this.#clock.nowSeconds,
      batchCount: this.#batchCount,
      eventCount: this.#eventCount,
      unfinishedCount: this.#requests.count - this.#clock.completedCount,
    };
  }

  /** Moves the clock to the next thing that is due; false when nothing is. */
  #step(): boolean {
    const clock = this.#clock;
    const { arrivalSeconds, count } = this.#requests;
    const completion = this.#completions.peekSeconds();
    const arrival = clock.arrivedCount < count ? arrivalSeconds[clock.arrivedCount]! : Infinity;
    const now = completion < arrival ? completion : arrival;
    if (now === Infinity) return false;
    if (now > this.#limitSeconds) {
      clock.nowSeconds = this.#limitSeconds;
      return false;
    }
    clock.nowSeconds = now;
    if (arrival === now) this.#arrive(now);
    if (completion === now) this.#complete(now);
    return true;
  }

  /** Takes in all requests that arrive now. */
  #arrive(now: number): void {
    const clock = this.#clock;
    const { arrivalSeconds, count } = this.#requests;
    while (clock.arrivedCount < count && arrivalSeconds[clock.arrivedCount] === now) {
      this.#unrouted.push(clock.arrivedCount++);
      this.#eventCount += 2;
    }
    this.#instant.push(InstantKind.route);
  }

  /** Ends all stages that are due now. */
  #complete(now: number): void {
    const completions = this.#completions;
    if (this.#instant.isEmpty && !completions.isTied()) {
      const slot = completions.pop();
      const replica = this.#stages.replica[slot]!;
      if (this.#replicas[replica]!.spec.stageCount === 1) {
        this.#iterate(slot, replica);
        return;
      }
      this.#endStage(slot);
    }
    while (completions.peekSeconds() === now) this.#endStage(completions.pop());
  }

  /**
   * The six events of an iteration on a replica without pipeline, when nothing else is due: the
   * order that the queue of the instant would give, without the queue.
   */
  #iterate(slot: number, replica: number): void {
    this.#endBatch(replica, this.#finishStage(slot));
    this.#eventCount += 2;
    const batch = this.#form(replica);
    if (batch === undefined) return;
    this.#eventCount += 2;
    this.#launch(slot, batch);
  }

  #handleInstant(): RoutingDecision | undefined {
    const instant = this.#instant;
    const { kind, first, second } = instant;
    if (kind === InstantKind.route) {
      const decision = this.#route();
      if (decision !== undefined) return decision;
      instant.shift();
      return undefined;
    }
    instant.shift();
    if (kind === InstantKind.schedule) this.#schedule(first);
    else if (kind === InstantKind.startStage) this.#startStage(first);
    else if (kind === InstantKind.endBatch) {
      this.#endBatch(first, this.#replicas[first]!.batches[second]!);
      instant.push(InstantKind.schedule, first);
    } else this.#enterStage(first, second);
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
    const replicas = [...this.#routedTo].sort((a, b) => a - b);
    for (const replica of replicas) this.#instant.push(InstantKind.schedule, replica);
    this.#routedTo.clear();
    return undefined;
  }

  /** Lets a replica fill its free pipeline slots. */
  #schedule(index: number): void {
    this.#eventCount++;
    const firstSlot = this.#stages.firstSlot[index]!;
    for (let batch = this.#form(index); batch !== undefined; batch = this.#form(index)) {
      this.#instant.push(InstantKind.enterStage, firstSlot, batch.slot);
    }
  }

  /** Forms one batch, if the replica has a free pipeline slot and something to run. */
  #form(index: number): Batch | undefined {
    const replica = this.#replicas[index]!;
    const { idleBatches } = replica;
    const batch = idleBatches[idleBatches.length - 1];
    if (batch === undefined) return undefined;
    const now = this.#clock.nowSeconds;
    batch.clear();
    this.#schedulers[index]!.form(batch, now);
    if (batch.requestCount === 0) return undefined;
    idleBatches.pop();
    batch.batchIndex = this.#batchCount++;
    batch.formedSeconds = now;
    batch.kvBlocksUsed = replica.kvBlocksUsed;
    return batch;
  }

  #enterStage(slot: number, batchSlot: number): void {
    this.#eventCount++;
    const batch = this.#replicas[this.#stages.replica[slot]!]!.batches[batchSlot]!;
    this.#stages.enqueue(slot, batch);
    this.#instant.push(InstantKind.startStage, slot);
  }

  #startStage(slot: number): void {
    this.#eventCount++;
    if (this.#stages.running[slot] !== undefined) return;
    const batch = this.#stages.dequeue(slot);
    if (batch !== undefined) this.#launch(slot, batch);
  }

  /** Starts a batch on an idle stage. */
  #launch(slot: number, batch: Batch): void {
    const stages = this.#stages;
    const now = this.#clock.nowSeconds;
    const index = stages.replica[slot]!;
    const { timer } = this.#replicas[index]!.spec;
    const model = timer.modelSeconds(batch, slot - stages.firstSlot[index]!);
    const total = model + timer.overheadSeconds(batch);
    if (!(total > 0 && total < Infinity)) {
      throw new RangeError(
        `Cannot simulate: the timer of replica ${index} must return finite seconds > 0, current value is ${total}`,
      );
    }
    const { lastStageEndSeconds, outcomes } = this.#requests;
    const { preemptedSeconds } = outcomes;
    const { requests, requestCount } = batch;
    for (let i = 0; i < requestCount; i++) {
      const request = requests[i]!;
      const last = lastStageEndSeconds[request]!;
      if (last >= 0 && last !== now) preemptedSeconds[request]! += now - last;
    }
    stages.running[slot] = batch;
    stages.startSeconds[slot] = now;
    stages.modelSeconds[slot] = model;
    stages.totalSeconds[slot] = total;
    this.#completions.push(slot, now + total);
  }

  /** Ends a stage and leaves the rest to the queue of the instant. */
  #endStage(slot: number): void {
    const stages = this.#stages;
    const batch = this.#finishStage(slot);
    const index = stages.replica[slot]!;
    this.#instant.push(InstantKind.startStage, slot);
    const next = slot + 1;
    if (next < stages.count && stages.replica[next] === index) {
      this.#instant.push(InstantKind.enterStage, next, batch.slot);
    } else {
      this.#instant.push(InstantKind.endBatch, index, batch.slot);
    }
  }

  /** Accounts the time of a stage to the requests of its batch; returns the batch. */
  #finishStage(slot: number): Batch {
    this.#eventCount++;
    const stages = this.#stages;
    const now = this.#clock.nowSeconds;
    const batch = stages.running[slot]!;
    stages.running[slot] = undefined;
    const { lastStageEndSeconds, outcomes } = this.#requests;
    const { executionSeconds, modelExecutionSeconds } = outcomes;
    const model = stages.modelSeconds[slot]!;
    const total = stages.totalSeconds[slot]!;
    const { requests, requestCount } = batch;
    for (let i = 0; i < requestCount; i++) {
      const request = requests[i]!;
      executionSeconds[request]! += total;
      modelExecutionSeconds[request]! += model;
      lastStageEndSeconds[request] = now;
    }
    if (this.#observers.length > 0) this.#reportStage(slot, batch);
    return batch;
  }

  /** Advances the requests of a batch that has left the pipeline. */
  #endBatch(index: number, batch: Batch): void {
    this.#eventCount++;
    const now = this.#clock.nowSeconds;
    const replica = this.#replicas[index]!;
    const scheduler = this.#schedulers[index]!;
    const { processedTokens, promptTokens, totalTokens, isDecoding } = this.#requests;
    const { requests, tokens, requestCount } = batch;
    const isGroup = scheduler.endBatch !== undefined;
    let firstTokens = 0;
    for (let i = 0; i < requestCount; i++) {
      const request = requests[i]!;
      let processed = processedTokens[request]! + tokens[i]!;
      if (processed === promptTokens[request]) {
        processed++;
        firstTokens++;
        isDecoding[request] = 1;
        this.#produceFirstToken(request, index);
      }
      processedTokens[request] = processed;
      if (processed === totalTokens[request]) {
        replica.kvTokens -= processed;
        this.#finishRequest(request, index);
        if (!isGroup) replica.release(request);
      } else if (!isGroup) {
        replica.park(request);
      }
    }
    replica.idleBatches.push(batch);
    replica.pendingPrefillTokens -= batch.prefillTokens;
    replica.pendingOutputTokens -= batch.decodeCount + firstTokens;
    replica.kvTokens += batch.totalTokens + firstTokens;
    if (batch.decodeCount > 0) replica.observeTbt(now - batch.formedSeconds);
    scheduler.endBatch?.(batch);
  }

  #produceFirstToken(request: number, replica: number): void {
    const { firstTokenSeconds } = this.#requests.outcomes;
    if (!Number.isNaN(firstTokenSeconds[request])) return;
    const now = this.#clock.nowSeconds;
    firstTokenSeconds[request] = now;
    for (const observer of this.#observers) observer.onFirstToken?.(request, replica, now);
  }

  #finishRequest(request: number, replica: number): void {
    const now = this.#clock.nowSeconds;
    this.#requests.outcomes.completedSeconds[request] = now;
    this.#clock.completedCount++;
    for (const observer of this.#observers) observer.onCompleted?.(request, replica, now);
  }

  #reportStage(slot: number, batch: Batch): void {
    const stages = this.#stages;
    const record = this.#record;
    const replica = stages.replica[slot]!;
    record.batchIndex = batch.batchIndex;
    record.replica = replica;
    record.stage = slot - stages.firstSlot[replica]!;
    record.formedSeconds = batch.formedSeconds;
    record.startSeconds = stages.startSeconds[slot]!;
    record.endSeconds = this.#clock.nowSeconds;
    record.requestCount = batch.requestCount;
    record.requests = batch.requests;
    record.tokens = batch.tokens;
    record.prefillTokens = batch.prefillTokens;
    record.kvBlocksUsed = batch.kvBlocksUsed;
    for (const observer of this.#observers) observer.onBatchStageEnd?.(record);
  }
}
