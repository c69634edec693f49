/**
 * One token budget for everything.
 *
 * @module
 */
import type { Batch } from "../batch.ts";
import type { ReplicaState } from "../replica_state.ts";
import { blocksFor } from "./_paged_decode.ts";
import type { ReplicaScheduler } from "./replica_scheduler.ts";

/**
 * vLLM's V1 engine: each iteration has a token budget, spent first on running requests in order of
 * admission (a decode costs one token, a prompt a chunk), then on waiting ones. Blocks are taken
 * chunk by chunk; when none is left, the request admitted last is preempted, and nothing is
 * admitted in that iteration.
 *
 * Source: vLLM 0.19 `v1/core/sched/scheduler.py`; spec/simulator.md section 13.
 */
export class VllmV1Scheduler implements ReplicaScheduler {
  readonly #replica: ReplicaState;
  readonly #microBatchSize: number;

  /** @param replica State that the scheduler works on. */
  constructor(replica: ReplicaState) {
    const { scheduler, stageCount } = replica.spec;
    this.#replica = replica;
    this.#microBatchSize = Math.floor(scheduler.batchSizeCap / stageCount);
  }

  /** @inheritdoc */
  form(batch: Batch, nowSeconds: number): void {
    const restarts = this.#replica.restartCount;
    this.#continueRunning(batch);
    if (this.#replica.restartCount === restarts) this.#admit(batch, nowSeconds);
  }

  #continueRunning(batch: Batch): void {
    const replica = this.#replica;
    const { parked } = replica;
    const { requests } = replica;
    const { chunkTokens, blockSize } = replica.spec.scheduler;
    let head = 0;
    let tail = replica.parkedCount;
    while (
      head < tail && batch.totalTokens < chunkTokens && batch.requestCount < this.#microBatchSize
    ) {
      const request = parked[head++]!;
      const processed = requests.processed(request);
      const decodes = requests.isDecoding(request);
      const chunk = decodes
        ? 1
        : Math.min(requests.prompt(request) - processed, chunkTokens - batch.totalTokens);
      const cached = decodes ? processed : processed + chunk;
      const missing = blocksFor(cached, blockSize) - requests.kvBlocks(request);
      while (missing > replica.freeKvBlocks && head < tail) replica.restart(parked[--tail]!);
      if (missing > replica.freeKvBlocks) {
        replica.restart(request);
        break;
      }
      if (missing > 0) replica.extend(request, missing);
      if (decodes) batch.addDecode(request, processed);
      else batch.addPrefill(request, processed, chunk);
    }
    if (head > 0) parked.copyWithin(0, head, tail);
    replica.parkedCount = tail - head;
  }

  #admit(batch: Batch, nowSeconds: number): void {
    const replica = this.#replica;
    const { batchSizeCap, blockSize, chunkTokens } = replica.spec.scheduler;
    while (
      replica.queue.length > 0 && replica.runningCount < batchSizeCap &&
      batch.requestCount < this.#microBatchSize && batch.totalTokens < chunkTokens
    ) {
      const prompt = replica.requests.prompt(replica.queue.peek());
      const chunk = Math.min(prompt, chunkTokens - batch.totalTokens);
      const blocks = blocksFor(chunk, blockSize);
      if (blocks > replica.freeKvBlocks) return;
      batch.addPrefill(replica.admit(blocks, nowSeconds), 0, chunk);
    }
  }
}
