/**
 * Iteration-level batching with reserved sequences.
 *
 * @module
 */
import type { Batch } from "../batch.ts";
import type { ReplicaState } from "../replica_state.ts";
import { reservedBlocks } from "../sequence_capacity.ts";
import type { ReplicaScheduler } from "./replica_scheduler.ts";

/**
 * Orca: requests join and leave the batch at every iteration, whole prompts and decodes mix, and
 * each request reserves the KV blocks of the longest sequence when it is admitted.
 *
 * Source: Yu et al., "Orca: A Distributed Serving System for Transformer-Based Generative Models",
 * OSDI 2022; details as in spec/simulator.md section 4.3.
 */
export class OrcaScheduler implements ReplicaScheduler {
  readonly #replica: ReplicaState;
  readonly #reservedBlocks: number;

  /** @param replica State that the scheduler works on. */
  constructor(replica: ReplicaState) {
    this.#replica = replica;
    this.#reservedBlocks = reservedBlocks(replica.spec);
  }

  /** @inheritdoc */
  form(batch: Batch, nowSeconds: number): void {
    const replica = this.#replica;
    const { maxBatchSize } = replica.spec;
    const { parked, requests } = replica;
    const taken = Math.min(replica.parkedCount, maxBatchSize);
    for (let i = 0; i < taken; i++) {
      const request = parked[i]!;
      if (requests.isDecoding(request)) batch.addDecode(request, requests.processed(request));
      else batch.addPrefill(request, 0, requests.prompt(request));
    }
    parked.copyWithin(0, taken, replica.parkedCount);
    replica.parkedCount -= taken;
    while (
      replica.queue.length > 0 && batch.requestCount < maxBatchSize &&
      replica.freeKvBlocks >= this.#reservedBlocks
    ) {
      const request = replica.admit(this.#reservedBlocks, nowSeconds);
      batch.addPrefill(request, 0, requests.prompt(request));
    }
  }
}
