/**
 * The mutable state of one replica.
 *
 * @module
 */
import { Batch, grown } from "./batch.ts";
import type { ReplicaSpec } from "./replica_spec.ts";
import {
  KV_BLOCKS,
  PROCESSED,
  PROMPT,
  type RequestTable,
  ROW_SHIFT,
  TOTAL,
} from "./request_table.ts";
import { WaitingQueue } from "./waiting_queue.ts";

/** Weight of the newest iteration in the moving average of the time between tokens. */
const TBT_EMA_WEIGHT = 0.1;

/**
 * Queue, admitted requests and KV blocks of a replica, with counters that are kept up to date at
 * every transition, so that whoever observes the replica pays O(1).
 *
 * A request is waiting (in `queue`, no blocks), parked (admitted, in no batch) or in a batch.
 */
export class ReplicaState {
  /** Position in the cluster. */
  readonly index: number;
  /** What the replica is. */
  readonly spec: ReplicaSpec;
  /** State of all requests. */
  readonly requests: RequestTable;
  /** Requests without KV blocks. */
  readonly queue: WaitingQueue;
  /** Batches, one a pipeline slot; those of `idleBatches` are free. */
  readonly batches: readonly Batch[];
  /** Stack of batches that are not in flight. */
  readonly idleBatches: Batch[];
  /** Admitted requests that are in no batch; the first `parkedCount` entries. */
  parked: Int32Array;
  /** Length of `parked`. */
  parkedCount = 0;
  /** Requests that hold KV blocks. */
  runningCount = 0;
  /** KV blocks in use. */
  kvBlocksUsed = 0;
  /** Prompt tokens not yet computed, over waiting and running requests. */
  pendingPrefillTokens = 0;
  /** Prompt tokens of waiting plus processed tokens of running requests. */
  kvTokens = 0;
  /** Output tokens not yet produced, over waiting and running requests. */
  pendingOutputTokens = 0;
  /** Preemptions with recomputation so far. */
  restartCount = 0;
  /** Moving average of the time between tokens in seconds, 0 before the first. */
  tbtEmaSeconds = 0;
  /** Whether requests may be routed here. */
  isAvailable = true;
  /** Duration of a stage relative to the timer's. */
  slowdown = 1;
  /**
   * In Vidur, a partially prefilled request that is preempted goes on as if the rest of its prompt
   * were output.
   */
  readonly #restartLosesPrompt: boolean;

  /** An idle replica. */
  constructor(index: number, spec: ReplicaSpec, requests: RequestTable) {
    this.index = index;
    this.spec = spec;
    this.requests = requests;
    this.queue = new WaitingQueue(requests);
    const capacity = Math.min(spec.scheduler.batchSizeCap, 1024);
    this.batches = Array.from({ length: spec.stageCount }, (_, slot) => new Batch(slot, capacity));
    this.idleBatches = [...this.batches].reverse();
    this.parked = new Int32Array(capacity);
    this.#restartLosesPrompt = spec.compat === "vidur";
  }

  /** Batches in flight. */
  get inFlightBatchCount(): number {
    return this.batches.length - this.idleBatches.length;
  }

  /** KV blocks not in use. */
  get freeKvBlocks(): number {
    return this.spec.kvBlocks - this.kvBlocksUsed;
  }

  /** Takes the duration of an iteration that decoded into the moving average. */
  observeTbt(seconds: number): void {
    this.tbtEmaSeconds = this.tbtEmaSeconds === 0
      ? seconds
      : this.tbtEmaSeconds + TBT_EMA_WEIGHT * (seconds - this.tbtEmaSeconds);
  }

  /** Takes in a request that was routed here: it waits behind the others. */
  enqueue(request: number): void {
    this.#countWaiting(request, 1);
    this.queue.pushBack(request);
  }

  /**
   * Moves the first waiting request to the running ones, with `blocks` KV blocks in which the first
   * `cachedTokens` tokens of its prompt are found; returns it.
   */
  admit(blocks: number, nowSeconds: number, cachedTokens = 0): number {
    const request = this.queue.popFront();
    const { tokens, scheduledSeconds } = this.requests;
    const row = request << ROW_SHIFT;
    this.kvTokens += cachedTokens - tokens[row + PROMPT]!;
    this.pendingPrefillTokens -= cachedTokens;
    tokens[row + PROCESSED] = cachedTokens;
    tokens[row + KV_BLOCKS] = blocks;
    this.runningCount++;
    this.kvBlocksUsed += blocks;
    if (Number.isNaN(scheduledSeconds[request])) scheduledSeconds[request] = nowSeconds;
    return request;
  }

  /** Gives a running request more blocks. */
  extend(request: number, blocks: number): void {
    this.requests.tokens[(request << ROW_SHIFT) + KV_BLOCKS]! += blocks;
    this.kvBlocksUsed += blocks;
  }

  /** Frees the blocks of a running request that is complete. */
  release(request: number): void {
    const { tokens } = this.requests;
    const row = request << ROW_SHIFT;
    this.kvBlocksUsed -= tokens[row + KV_BLOCKS]!;
    tokens[row + KV_BLOCKS] = 0;
    this.runningCount--;
  }

  /** Sets running requests aside before all that are parked. */
  parkInFront(requests: readonly number[]): void {
    const parked = this.makeRoomToPark(requests.length);
    parked.copyWithin(requests.length, 0, this.parkedCount);
    parked.set(requests);
    this.parkedCount += requests.length;
  }

  /** The list of parked requests, with room for so many more. */
  makeRoomToPark(count: number): Int32Array {
    while (this.parkedCount + count > this.parked.length) this.parked = grown(this.parked);
    return this.parked;
  }

  /**
   * Preempts a running request: its blocks are freed, it waits in front of the others and has to
   * recompute what it had processed, output included (spec/simulator.md section 2, `restart`).
   */
  restart(request: number): void {
    this.#forget(request, this.#restartLosesPrompt);
    this.#countWaiting(request, 1);
    this.queue.pushFront(request);
  }

  /** Takes all requests off the replica, ready to start over elsewhere. */
  evacuate(running: readonly number[]): number[] {
    for (const request of running) this.#forget(request, false);
    const evacuated = [...running];
    while (this.queue.length > 0) {
      const request = this.queue.popFront();
      this.#countWaiting(request, -1);
      evacuated.push(request);
    }
    this.parkedCount = 0;
    this.idleBatches.splice(0, this.idleBatches.length, ...this.batches.toReversed());
    return evacuated;
  }

  /** Adds a waiting request to the counters, or takes it out again. */
  #countWaiting(request: number, sign: 1 | -1): void {
    const prompt = this.requests.prompt(request);
    this.pendingPrefillTokens += sign * prompt;
    this.kvTokens += sign * prompt;
    this.pendingOutputTokens += sign * (this.requests.total(request) - prompt);
  }

  /** Takes a running request off the replica: it has to recompute what it had processed. */
  #forget(request: number, losesPrompt: boolean): void {
    const { tokens, restarts } = this.requests;
    const row = request << ROW_SHIFT;
    const prompt = tokens[row + PROMPT]!;
    const total = tokens[row + TOTAL]!;
    const processed = tokens[row + PROCESSED]!;
    const isDecoding = processed > prompt;
    this.release(request);
    this.kvTokens -= processed;
    this.pendingOutputTokens -= total - Math.max(prompt, processed);
    this.pendingPrefillTokens -= Math.max(0, prompt - processed);
    if (isDecoding || losesPrompt) tokens[row + PROMPT] = processed;
    tokens[row + PROCESSED] = 0;
    restarts[request]!++;
    this.restartCount++;
  }
}
