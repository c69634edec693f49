/**
 * Token-granular admission with a look at the future.
 *
 * @module
 */
import type { Batch } from "../batch.ts";
import type { ReplicaState } from "../replica_state.ts";
import type { ReplicaScheduler } from "./replica_scheduler.ts";

/**
 * LightLLM's router: prompts are admitted when the largest KV use that the running requests and the
 * new one will ever reach together, by their true output lengths, fits; otherwise everything
 * running decodes. Needs `blockSize` 1 and one pipeline stage.
 *
 * Source: the LightLLM project's `Router`, as in spec/simulator.md section 4.5.
 */
export class LightLlmScheduler implements ReplicaScheduler {
  readonly #replica: ReplicaState;
  /**
   * Whether a prompt (or what is to be recomputed of a request that lost its replica) longer than
   * `maxTokensInBatch` may form a batch of its own. In Vidur it blocks the queue for ever.
   */
  readonly #admitsLongPromptAlone: boolean;
  #iterationsSincePrefill = 0;
  /** Pairs (remaining tokens, tokens so far) of the requests that admission looks at. */
  readonly #futures: { remaining: number; hasRun: number }[] = [];

  /** @param replica State that the scheduler works on. */
  constructor(replica: ReplicaState) {
    this.#replica = replica;
    this.#admitsLongPromptAlone = replica.spec.compat !== "vidur";
  }

  /** @inheritdoc */
  form(batch: Batch, nowSeconds: number): void {
    const replica = this.#replica;
    if (replica.parkedCount === 0) {
      this.#prefill(batch, nowSeconds);
      if (batch.requestCount > 0) this.#iterationsSincePrefill = 0;
      return;
    }
    if (this.#iterationsSincePrefill >= replica.spec.scheduler.maxWaitingIterations) {
      this.#iterationsSincePrefill = 0;
      this.#prefill(batch, nowSeconds);
      if (batch.requestCount > 0) return;
    }
    this.#decode(batch);
  }

  #prefill(batch: Batch, nowSeconds: number): void {
    const replica = this.#replica;
    const { batchSizeCap, maxTokensInBatch } = replica.spec.scheduler;
    this.#lookAhead();
    while (replica.queue.length > 0 && replica.runningCount < batchSizeCap) {
      const request = replica.queue.peek();
      const prompt = replica.requests.prompt(request);
      const isAlone = batch.requestCount === 0 && this.#admitsLongPromptAlone;
      if (batch.totalTokens + prompt > maxTokensInBatch && !isAlone) return;
      if (!this.#canAdmit(request)) return;
      batch.addPrefill(replica.admit(prompt, nowSeconds), 0, prompt);
    }
  }

  #decode(batch: Batch): void {
    const replica = this.#replica;
    const { parked, parkedCount, requests } = replica;
    if (replica.freeKvBlocks < parkedCount) {
      throw new RangeError(
        `Cannot simulate: lightllm on replica ${replica.index} must have ${parkedCount} free KV ` +
          `tokens, current value is ${replica.freeKvBlocks}`,
      );
    }
    this.#iterationsSincePrefill++;
    for (let i = 0; i < parkedCount; i++) {
      const request = parked[i]!;
      replica.extend(request, 1);
      if (requests.isDecoding(request)) batch.addDecode(request, requests.processed(request));
      else batch.addPrefill(request, 0, requests.prompt(request));
    }
    replica.parkedCount = 0;
  }

  /** Notes how far the running requests are and how far they will go. */
  #lookAhead(): void {
    const { parked, parkedCount, requests } = this.#replica;
    this.#futures.length = 0;
    for (let i = 0; i < parkedCount; i++) {
      const request = parked[i]!;
      const prompt = requests.prompt(request);
      const processed = requests.processed(request);
      const produced = Math.max(0, processed - prompt);
      this.#futures.push({
        hasRun: processed,
        remaining: Math.max(0, requests.total(request) - prompt - produced - 1),
      });
    }
  }

  /**
   * Whether the peak of KV use stays below the capacity: with the requests in order of remaining
   * tokens, largest first, the peak is `max_i (remaining_i (i + 1) + sum_{j <= i} hasRun_j)`.
   */
  #canAdmit(request: number): boolean {
    const { requests, spec } = this.#replica;
    const prompt = requests.prompt(request);
    const futures = this.#futures;
    futures.push({
      hasRun: prompt + 1,
      remaining: Math.max(0, requests.total(request) - prompt - 2),
    });
    futures.sort((a, b) => b.remaining - a.remaining);
    let hasRun = 0;
    let peak = 0;
    futures.forEach((future, i) => {
      hasRun += future.hasRun;
      peak = Math.max(peak, future.remaining * (i + 1) + hasRun);
    });
    return peak < spec.kvBlocks;
  }
}
