/**
 * Chunked prefill without stalls.
 *
 * @module
 */
import type { Batch } from "../batch.ts";
import { grown } from "../batch.ts";
import type { ReplicaState } from "../replica_state.ts";
import { blocksFor, makeRoom, sortParkedByArrival } from "./_paged_decode.ts";
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
  #prefills: Int32Array;

  /** @param replica State that the scheduler works on. */
  constructor(replica: ReplicaState) {
    const { scheduler, stageCount, kvBlocks } = replica.spec;
    this.#replica = replica;
    this.#microBatchSize = Math.floor(scheduler.batchSizeCap / stageCount);
    this.#watermarkBlocks = Math.floor(scheduler.watermarkFraction * kvBlocks);
    this.#prefills = new Int32Array(8);
  }

  /** @inheritdoc */
  form(batch: Batch, nowSeconds: number): void {
    const replica = this.#replica;
    const { chunkTokens } = replica.spec.scheduler;
    const { processedTokens, promptTokens } = replica.requests;
    const prefillCount = this.#decode(batch);
    const skipped = replica.parkedCount;
    let skippedCount = 0;
    for (let i = 0; i < prefillCount; i++) {
      const request = this.#prefills[i]!;
      const processed = processedTokens[request]!;
      const chunk = Math.min(promptTokens[request]! - processed, chunkTokens - batch.totalTokens);
      if (chunk > 0) batch.addPrefill(request, processed, chunk);
      else this.#prefills[skippedCount++] = request;
    }
    this.#parkSkipped(skipped, skippedCount);
    this.#admit(batch, nowSeconds);
  }

  /** Adds the decodes, takes the begun prompts off `parked`; returns how many of those there are. */
  #decode(batch: Batch): number {
    const replica = this.#replica;
    const { parked } = replica;
    const { isDecoding, processedTokens, kvBlocks } = replica.requests;
    const { blockSize } = replica.spec.scheduler;
    let head = 0;
    let tail = replica.parkedCount;
    let prefillCount = 0;
    while (head < tail && batch.requestCount < this.#microBatchSize) {
      const request = parked[head++]!;
      if (isDecoding[request] === 0) {
        if (prefillCount === this.#prefills.length) this.#prefills = grown(this.#prefills);
        this.#prefills[prefillCount++] = request;
        continue;
      }
      const end = makeRoom(replica, request, head, tail);
      if (end < 0) {
        tail = head;
        continue;
      }
      tail = end;
      const processed = processedTokens[request]!;
      if (processed > kvBlocks[request]! * blockSize) replica.extend(request, 1);
      batch.addDecode(request, processed);
    }
    if (head > 0) parked.copyWithin(0, head, tail);
    replica.parkedCount = tail - head;
    return prefillCount;
  }

  /** Puts prompts that the budget had no room for before the parked ones, then sorts by arrival. */
  #parkSkipped(parkedCount: number, skippedCount: number): void {
    const replica = this.#replica;
    if (skippedCount > 0) {
      for (let i = 0; i < skippedCount; i++) replica.park(this.#prefills[i]!);
      replica.parked.copyWithin(skippedCount, 0, parkedCount);
      replica.parked.set(this.#prefills.subarray(0, skippedCount));
    }
    if (replica.parkedCount > 1) sortParkedByArrival(replica);
  }

  /** Starts prompts of waiting requests while blocks, slots and budget last. */
  #admit(batch: Batch, nowSeconds: number): void {
    const replica = this.#replica;
    const { batchSizeCap, blockSize, chunkTokens } = replica.spec.scheduler;
    const { promptTokens } = replica.requests;
    while (
      replica.queue.length > 0 && replica.runningCount < batchSizeCap &&
      batch.requestCount < this.#microBatchSize
    ) {
      const prompt = promptTokens[replica.queue.peek()]!;
      const blocks = blocksFor(prompt, blockSize);
      if (replica.freeKvBlocks - blocks < this.#watermarkBlocks) return;
      const chunk = Math.min(prompt, chunkTokens - batch.totalTokens);
      if (chunk <= 0) return;
      batch.addPrefill(replica.admit(blocks, nowSeconds), 0, chunk);
    }
  }
}
