/**
 * What replicas do between routing decisions.
 *
 * @module
 */
import type { Batch } from "./batch.ts";
import { createBatchRecord, type MutableBatchRecord } from "./batch_record.ts";
import { EventHeap } from "./event_heap.ts";
import { InstantKind, type InstantQueue } from "./instant_queue.ts";
import type { EngineClock } from "./live_view.ts";
import type { ReplicaState } from "./replica_state.ts";
import {
  EXECUTION,
  LAST_STAGE_END,
  MODEL_EXECUTION,
  PREEMPTED,
  PROCESSED,
  PROMPT,
  type RequestTable,
  ROW_SHIFT,
  TOTAL,
} from "./request_table.ts";
import { createReplicaScheduler, type ReplicaScheduler } from "./schedulers/mod.ts";
import type { SimulationObserver } from "./simulation.ts";
import { StageTable } from "./stage_table.ts";

/** What {@linkcode ReplicaEngine} works on. */
export interface ReplicaEngineOptions {
  /** State of all requests. */
  readonly requests: RequestTable;
  /** The replicas. */
  readonly replicas: readonly ReplicaState[];
  /** The clock, moved by the simulator. */
  readonly clock: EngineClock;
  /** Zero-delay events, shared with the simulator. */
  readonly instant: InstantQueue;
  /** Watchers. */
  readonly observers: readonly SimulationObserver[];
}

/**
 * Forms batches and moves them through the stages: everything of spec/simulator.md section 1 from
 * `ReplicaSchedule` to `BatchEnd`.
 */
export class ReplicaEngine {
  /** Batches formed. */
  batchCount = 0;
  /** Events in Vidur's counting. */
  eventCount = 0;
  readonly #requests: RequestTable;
  readonly #replicas: readonly ReplicaState[];
  readonly #schedulers: readonly ReplicaScheduler[];
  readonly #clock: EngineClock;
  readonly #instant: InstantQueue;
  readonly #observers: readonly SimulationObserver[];
  readonly #stages: StageTable;
  readonly #completions: EventHeap;
  readonly #record: MutableBatchRecord = createBatchRecord();
  readonly #tokenObservers: readonly SimulationObserver[];
  #producers = new Int32Array(0);

  /** Starts with all stages idle. */
  constructor(options: ReplicaEngineOptions) {
    this.#requests = options.requests;
    this.#replicas = options.replicas;
    this.#clock = options.clock;
    this.#instant = options.instant;
    this.#observers = options.observers;
    this.#tokenObservers = options.observers.filter(({ onTokens }) => onTokens !== undefined);
    this.#schedulers = options.replicas.map(createReplicaScheduler);
    this.#stages = new StageTable(options.replicas.map((replica) => replica.spec));
    this.#completions = new EventHeap(this.#stages.count);
  }

  /** When the next stage ends, `Infinity` when all are idle. */
  nextCompletionSeconds(): number {
    return this.#completions.peekSeconds();
  }

  /** Ends all stages that are due at `now`, of which there is at least one. */
  complete(now: number): void {
    const completions = this.#completions;
    if (this.#instant.isEmpty && !completions.isTied()) {
      const slot = completions.pop();
      const replica = this.#stages.replica[slot]!;
      if (this.#replicas[replica]!.batches.length === 1) this.#iterate(slot, replica);
      else this.#endStage(slot);
      return;
    }
    while (completions.peekSeconds() === now) this.#endStage(completions.pop());
  }

  /** Handles a zero-delay event other than `route`. */
  handle(kind: number, first: number, second: number): void {
    switch (kind) {
      case InstantKind.schedule:
        this.#schedule(first);
        break;
      case InstantKind.enterStage:
        this.#enterStage(first, second);
        break;
      case InstantKind.startStage:
        this.#startStage(first);
        break;
      case InstantKind.endBatch:
        this.#endBatch(first, this.#replicas[first]!.batches[second]!);
        this.#instant.push(InstantKind.schedule, first);
    }
  }

  /** Stops a replica dead; returns the requests it held, which have to start over. */
  evacuate(index: number): number[] {
    const replica = this.#replicas[index]!;
    const firstSlot = this.#stages.firstSlot[index]!;
    for (let stage = 0; stage < replica.spec.stageCount; stage++) {
      this.#completions.remove(firstSlot + stage);
      this.#stages.clear(firstSlot + stage);
    }
    const running = [...replica.parked.subarray(0, replica.parkedCount)];
    for (const batch of replica.batches) {
      if (!replica.idleBatches.includes(batch)) {
        running.push(...batch.requests.subarray(0, batch.requestCount));
      }
    }
    this.#schedulers[index]!.evacuate?.(running);
    return replica.evacuate(running);
  }

  /**
   * The six events of an iteration on a replica without pipeline, when nothing else is due: the
   * order that the queue of the instant would give, without the queue.
   */
  #iterate(slot: number, replica: number): void {
    this.#endBatch(replica, this.#finishStage(slot));
    this.eventCount += 2;
    const batch = this.#form(replica);
    if (batch === undefined) return;
    this.eventCount += 2;
    this.#launch(slot, batch);
  }

  /** Lets a replica fill its free pipeline slots. */
  #schedule(index: number): void {
    this.eventCount++;
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
    batch.batchIndex = this.batchCount++;
    batch.formedSeconds = now;
    batch.kvBlocksUsed = replica.kvBlocksUsed;
    return batch;
  }

  #enterStage(slot: number, batchSlot: number): void {
    this.eventCount++;
    const batch = this.#replicas[this.#stages.replica[slot]!]!.batches[batchSlot]!;
    this.#stages.enqueue(slot, batch);
    this.#instant.push(InstantKind.startStage, slot);
  }

  #startStage(slot: number): void {
    this.eventCount++;
    if (this.#stages.running[slot] !== undefined) return;
    const batch = this.#stages.dequeue(slot);
    if (batch !== undefined) this.#launch(slot, batch);
  }

  /** Starts a batch on an idle stage. */
  #launch(slot: number, batch: Batch): void {
    const stages = this.#stages;
    const now = this.#clock.nowSeconds;
    const index = stages.replica[slot]!;
    const { spec: { timer }, slowdown } = this.#replicas[index]!;
    const model = timer.modelSeconds(batch, slot - stages.firstSlot[index]!) * slowdown;
    const total = model + timer.overheadSeconds(batch) * slowdown;
    if (!(total > 0 && total < Infinity)) {
      throw new RangeError(
        `Cannot simulate: the timer of replica ${index} must return finite seconds > 0, current value is ${total}`,
      );
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

  /** Accounts a stage, and the gap before it, to the requests of its batch; returns the batch. */
  #finishStage(slot: number): Batch {
    this.eventCount++;
    const stages = this.#stages;
    const now = this.#clock.nowSeconds;
    const batch = stages.running[slot]!;
    stages.running[slot] = undefined;
    const { seconds } = this.#requests;
    const start = stages.startSeconds[slot]!;
    const model = stages.modelSeconds[slot]!;
    const total = stages.totalSeconds[slot]!;
    const { requests, requestCount } = batch;
    for (let i = 0; i < requestCount; i++) {
      const row = requests[i]! << ROW_SHIFT;
      const last = seconds[row + LAST_STAGE_END]!;
      if (last !== start && last >= 0) seconds[row + PREEMPTED]! += start - last;
      seconds[row + EXECUTION]! += total;
      seconds[row + MODEL_EXECUTION]! += model;
      seconds[row + LAST_STAGE_END] = now;
    }
    if (this.#observers.length > 0) this.#reportStage(slot, batch);
    return batch;
  }

  /** Advances the requests of a batch that has left the pipeline. */
  #endBatch(index: number, batch: Batch): void {
    this.eventCount++;
    const replica = this.#replicas[index]!;
    const scheduler = this.#schedulers[index]!;
    const parks = scheduler.endBatch === undefined;
    if (this.#tokenObservers.length > 0) this.#reportTokens(index, batch);
    const firstTokens = this.#advanceRequests(replica, batch, parks);
    replica.idleBatches.push(batch);
    replica.pendingPrefillTokens -= batch.prefillTokens;
    replica.pendingOutputTokens -= batch.decodeCount + firstTokens;
    replica.kvTokens += batch.totalTokens + firstTokens;
    if (batch.decodeCount > 0) {
      replica.observeTbt(this.#clock.nowSeconds - batch.formedSeconds);
    }
    scheduler.endBatch?.(batch);
  }

  /** Advances every request; returns how many completed their prompt. */
  #advanceRequests(replica: ReplicaState, batch: Batch, parks: boolean): number {
    const { tokens } = this.#requests;
    const { requests, tokens: computed, requestCount } = batch;
    const parked = replica.makeRoomToPark(requestCount);
    let { parkedCount } = replica;
    let firstTokens = 0;
    for (let i = 0; i < requestCount; i++) {
      const request = requests[i]!;
      const row = request << ROW_SHIFT;
      let processed = tokens[row + PROCESSED]! + computed[i]!;
      if (processed === tokens[row + PROMPT]) {
        processed++;
        firstTokens++;
        this.#produceFirstToken(request, replica.index);
      }
      tokens[row + PROCESSED] = processed;
      if (processed === tokens[row + TOTAL]) this.#finishRequest(request, replica, parks);
      else if (parks) parked[parkedCount++] = request;
    }
    replica.parkedCount = parkedCount;
    return firstTokens;
  }

  #produceFirstToken(request: number, replica: number): void {
    const { firstTokenSeconds } = this.#requests;
    if (!Number.isNaN(firstTokenSeconds[request])) return;
    const now = this.#clock.nowSeconds;
    firstTokenSeconds[request] = now;
    for (const observer of this.#observers) observer.onFirstToken?.(request, replica, now);
  }

  #finishRequest(request: number, replica: ReplicaState, releases: boolean): void {
    const now = this.#clock.nowSeconds;
    this.#requests.completedSeconds[request] = now;
    replica.kvTokens -= this.#requests.total(request);
    if (releases) replica.release(request);
    this.#clock.completedCount++;
    for (const observer of this.#observers) observer.onCompleted?.(request, replica.index, now);
  }

  /** Tells who gets an output token: those that decode, and those whose prompt is complete now. */
  #reportTokens(replica: number, batch: Batch): void {
    const { tokens } = this.#requests;
    const { requests, tokens: computed, requestCount } = batch;
    if (this.#producers.length < requestCount) this.#producers = new Int32Array(requests.length);
    const producers = this.#producers;
    let count = 0;
    for (let i = 0; i < requestCount; i++) {
      const row = requests[i]! << ROW_SHIFT;
      if (tokens[row + PROCESSED]! + computed[i]! >= tokens[row + PROMPT]!) {
        producers[count++] = requests[i]!;
      }
    }
    if (count === 0) return;
    const now = this.#clock.nowSeconds;
    for (const observer of this.#tokenObservers) {
      observer.onTokens!(producers, count, replica, now);
    }
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
    record.shape = batch;
    for (const observer of this.#observers) observer.onBatchStageEnd?.(record);
  }
}
