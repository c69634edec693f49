/**
 * Prompts first, then decodes.
 *
 * @module
 */
import type { Batch } from "../batch.ts";
import type { ReplicaState } from "../replica_state.ts";
import { addDecodes, blocksFor, sortParkedByArrival } from "./_paged_decode.ts";
import type { ReplicaScheduler } from "./replica_scheduler.ts";

/** Prompts are computed whole: nothing is ever parked within one. */
const NONE_BEGUN: number[] = [];

/**
 * vLLM before its V1 engine: an iteration either computes whole prompts of waiting requests, if any
 * can be admitted, or decodes all running ones.
 *
 * Source: Kwon et al., "Efficient Memory Management for Large Language Model Serving with
 * PagedAttention", SOSP 2023; details as in spec/simulator.md section 4.1.
 */
export class VllmScheduler implements ReplicaScheduler {
  readonly #replica: ReplicaState;
  readonly #microBatchSize: number;
  readonly #watermarkBlocks: number;
  /**
   * Whether a prompt (or what is to be recomputed of a preempted request) longer than
   * `maxTokensInBatch` may form a batch of its own. In Vidur it blocks the queue for ever.
   */
  readonly #admitsLongPromptAlone: boolean;
  /** Whether all prompts of a batch count as long as the longest, as in Vidur, where kernels padded. */
  readonly #padsPrompts: boolean;

  /** @param replica State that the scheduler works on. */
  constructor(replica: ReplicaState) {
    const { scheduler, stageCount, kvBlocks } = replica.spec;
    this.#replica = replica;
    this.#microBatchSize = Math.floor(scheduler.batchSizeCap / stageCount);
    this.#watermarkBlocks = Math.floor(scheduler.watermarkFraction * kvBlocks);
    this.#admitsLongPromptAlone = replica.spec.compat !== "vidur";
    this.#padsPrompts = replica.spec.compat === "vidur";
  }

  /** @inheritdoc */
  form(batch: Batch, nowSeconds: number): void {
    this.#prefill(batch, nowSeconds);
    if (batch.requestCount > 0) return;
    sortParkedByArrival(this.#replica);
    addDecodes(this.#replica, batch, this.#microBatchSize, NONE_BEGUN);
  }

  #prefill(batch: Batch, nowSeconds: number): void {
    const replica = this.#replica;
    const { batchSizeCap, blockSize, maxTokensInBatch } = replica.spec.scheduler;
    let longest = 0;
    while (
      replica.queue.length > 0 && replica.runningCount < batchSizeCap &&
      batch.requestCount < this.#microBatchSize
    ) {
      const prompt = replica.requests.prompt(replica.queue.peek());
      const blocks = blocksFor(prompt, blockSize);
      if (replica.freeKvBlocks - blocks < this.#watermarkBlocks) return;
      longest = Math.max(longest, prompt);
      const isAlone = batch.requestCount === 0 && this.#admitsLongPromptAlone;
      const promptTokens = this.#padsPrompts
        ? (batch.requestCount + 1) * longest
        : batch.totalTokens + prompt;
      if (promptTokens > maxTokensInBatch && !isAlone) return;
      batch.addPrefill(replica.admit(blocks, nowSeconds), 0, prompt);
    }
  }
}
