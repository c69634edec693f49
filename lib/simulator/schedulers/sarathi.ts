/**
 * Chunked prefill without stalls.
 *
 * @module
 */
import type { Batch } from "../batch.ts";
import type { ReplicaState } from "../replica_state.ts";
import { addDecodes, blocksFor, sortParkedByArrival } from "./_paged_decode.ts";
import type { ReplicaScheduler } from "./replica_scheduler.ts";

/**
 * Sarathi-Serve: every iteration decodes all running requests and fills the rest of a token budget
 * with pieces of prompts, first of those already begun.
 *
 * Source: Agrawal et al., "Taming Throughput-Latency Tradeoff in LLM Inference with
 * Sarathi-Serve", OSDI 2024; details as in spec/simulator.md section 4.2.
 */
export class SarathiScheduler implements ReplicaScheduler {
  readonly #replica: ReplicaState;
  readonly #microBatchSize: number;
  readonly #watermarkBlocks: number;
  readonly #begun: number[] = [];

  /** @param replica State that the scheduler works on. */
  constructor(replica: ReplicaState) {
    const { scheduler, stageCount, kvBlocks } = replica.spec;
    this.#replica = replica;
    this.#microBatchSize = Math.floor(scheduler.batchSizeCap / stageCount);
    this.#watermarkBlocks = Math.floor(scheduler.watermarkFraction * kvBlocks);
  }

  /** @inheritdoc */
  form(batch: Batch, nowSeconds: number): void {
    const replica = this.#replica;
    if (replica.parkedCount > 0) {
      addDecodes(replica, batch, this.#microBatchSize, this.#begun);
      if (this.#begun.length > 0) this.#continuePrompts(batch);
      if (replica.parkedCount > 1) sortParkedByArrival(replica);
    }
    if (replica.queue.length > 0) this.#admit(batch, nowSeconds);
  }

  /** Adds the next pieces of begun prompts; parks those that the budget has no room for in front. */
  #continuePrompts(batch: Batch): void {
    const replica = this.#replica;
    const { chunkTokens } = replica.spec.scheduler;
    const { requests } = replica;
    const begun = this.#begun;
    let skippedCount = 0;
    for (const request of begun) {
      const processed = requests.processed(request);
      const chunk = Math.min(requests.prompt(request) - processed, chunkTokens - batch.totalTokens);
      if (chunk > 0) batch.addPrefill(request, processed, chunk);
      else begun[skippedCount++] = request;
    }
    begun.length = skippedCount;
    if (skippedCount > 0) replica.parkInFront(begun);
    begun.length = 0;
  }

  /** Starts prompts of waiting requests while blocks, slots and budget last. */
  #admit(batch: Batch, nowSeconds: number): void {
    const replica = this.#replica;
    const { batchSizeCap, blockSize, chunkTokens } = replica.spec.scheduler;
    while (
      replica.queue.length > 0 && replica.runningCount < batchSizeCap &&
      batch.requestCount < this.#microBatchSize
    ) {
      const prompt = replica.requests.prompt(replica.queue.peek());
      const blocks = blocksFor(prompt, blockSize);
      if (replica.freeKvBlocks - blocks < this.#watermarkBlocks) return;
      const chunk = Math.min(prompt, chunkTokens - batch.totalTokens);
      if (chunk <= 0) return;
      batch.addPrefill(replica.admit(blocks, nowSeconds), 0, chunk);
    }
  }
}
