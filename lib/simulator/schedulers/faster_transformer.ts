/**
 * Request-level batching.
 *
 * @module
 */
import type { Batch } from "../batch.ts";
import type { ReplicaState } from "../replica_state.ts";
import { reservedBlocks } from "../sequence_capacity.ts";
import type { ReplicaScheduler } from "./replica_scheduler.ts";

/** Requests that were admitted together and stay together until the last is complete. */
interface Group {
  /** Those not complete, in order of admission. */
  readonly active: number[];
  /** Complete ones that still hold their KV blocks. */
  readonly finished: number[];
}

/**
 * FasterTransformer: a group of requests is admitted, computed until its last one is complete, and
 * only then released. Up to one group a pipeline stage is in flight.
 *
 * Details as in spec/simulator.md section 4.4.
 */
export class FasterTransformerScheduler implements ReplicaScheduler {
  readonly #replica: ReplicaState;
  readonly #reservedBlocks: number;
  /**
   * In Vidur, requests that complete before the last iteration of their group never give their
   * blocks back, until the replica runs one request at a time.
   */
  readonly #leaksBlocks: boolean;
  readonly #groupOf: (Group | undefined)[];
  readonly #parkedGroups: Group[] = [];

  /** @param replica State that the scheduler works on. */
  constructor(replica: ReplicaState) {
    this.#replica = replica;
    this.#reservedBlocks = reservedBlocks(replica.spec);
    this.#leaksBlocks = replica.spec.compat === "vidur";
    this.#groupOf = replica.batches.map(() => undefined);
  }

  /** @inheritdoc */
  form(batch: Batch, nowSeconds: number): void {
    const { requests } = this.#replica;
    const group = this.#parkedGroups.shift() ?? this.#admitGroup(nowSeconds);
    this.#groupOf[batch.slot] = group;
    for (const request of group.active) {
      if (requests.isDecoding(request)) batch.addDecode(request, requests.processed(request));
      else batch.addPrefill(request, 0, requests.prompt(request));
    }
  }

  /** @inheritdoc */
  endBatch(batch: Batch): void {
    const replica = this.#replica;
    const { requests } = replica;
    const { active, finished } = this.#groupOf[batch.slot]!;
    const alreadyFinished = finished.length;
    let kept = 0;
    for (const request of active) {
      if (requests.processed(request) === requests.total(request)) finished.push(request);
      else active[kept++] = request;
    }
    active.length = kept;
    if (kept > 0) {
      this.#parkedGroups.push(this.#groupOf[batch.slot]!);
      return;
    }
    const released = this.#leaksBlocks ? finished.slice(alreadyFinished) : finished;
    for (const request of released) replica.release(request);
  }

  /** @inheritdoc */
  evacuate(requests: number[]): void {
    const replica = this.#replica;
    for (const group of this.#parkedGroups) requests.push(...group.active);
    const groups = new Set([...this.#parkedGroups, ...this.#groupOf]);
    for (const group of groups) {
      for (const request of group?.finished ?? []) {
        if (replica.requests.kvBlocks(request) > 0) replica.release(request);
      }
    }
    this.#parkedGroups.length = 0;
    this.#groupOf.fill(undefined);
  }

  #admitGroup(nowSeconds: number): Group {
    const replica = this.#replica;
    const active: number[] = [];
    while (
      replica.queue.length > 0 && active.length < replica.spec.maxBatchSize &&
      replica.freeKvBlocks >= this.#reservedBlocks
    ) {
      active.push(replica.admit(this.#reservedBlocks, nowSeconds));
    }
    return { active, finished: [] };
  }
}
