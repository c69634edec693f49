/**
 * One token budget for everything.
 *
 * @module
 */
import type { Batch } from "../batch.ts";
import type { ReplicaState } from "../replica_state.ts";
import { FreeBlocks } from "./_free_blocks.ts";
import { blocksFor } from "./_paged_decode.ts";
import type { ReplicaScheduler } from "./replica_scheduler.ts";

/**
 * vLLM's V1 engine: each iteration has a token budget, spent first on running requests in order of
 * admission (a decode costs one token, a prompt a chunk), then on waiting ones. Blocks are taken
 * chunk by chunk; when none is left, the request admitted last is preempted, and nothing is
 * admitted in that iteration. Where a batch has no room for all running requests, which vLLM rules
 * out (a budget below `batchSizeCap`, or several stages), those left out are the first of the next.
 *
 * With `reserveWholePrompt`, a request is admitted only when blocks for its whole prompt are free,
 * though it takes those of its first chunk. With `prefixCaching`, freed blocks keep their contents
 * until they are taken, so that a preempted request recomputes only what it no longer finds.
 * Requests do not share prefixes: a workload does not say what is in its prompts.
 *
 * Source: vLLM 0.19 `v1/core/sched/scheduler.py`, `v1/core/kv_cache_manager.py`,
 * `v1/core/block_pool.py`; spec/simulator.md section 13.
 */
export class VllmV1Scheduler implements ReplicaScheduler {
  readonly #replica: ReplicaState;
  readonly #microBatchSize: number;
  /** Which free blocks still hold what; `undefined` without prefix caching. */
  #freeBlocks: FreeBlocks | undefined;

  /** @param replica State that the scheduler works on. */
  constructor(replica: ReplicaState) {
    const { scheduler, stageCount } = replica.spec;
    this.#replica = replica;
    this.#microBatchSize = Math.floor(scheduler.batchSizeCap / stageCount);
    this.#forgetBlocks();
  }

  /** @inheritdoc */
  form(batch: Batch, nowSeconds: number): void {
    const replica = this.#replica;
    const restarts = replica.restartCount;
    // What requests that have completed since the last time held.
    this.#freeBlocks?.add(replica.freeKvBlocks - this.#freeBlocks.count);
    this.#continueRunning(batch);
    if (replica.restartCount === restarts) this.#admit(batch, nowSeconds);
  }

  /** @inheritdoc */
  evacuate(): void {
    this.#forgetBlocks();
  }

  #forgetBlocks(): void {
    const { kvBlocks, scheduler } = this.#replica.spec;
    this.#freeBlocks = scheduler.prefixCaching ? new FreeBlocks(kvBlocks) : undefined;
  }

  /** Preempts a running request, whose full blocks can be found again for a while. */
  #preempt(request: number): void {
    const { requests, spec: { scheduler } } = this.#replica;
    const processed = requests.processed(request);
    const cachedTokens = requests.isDecoding(request) ? processed - 1 : processed;
    this.#freeBlocks?.addOf(
      request,
      requests.kvBlocks(request),
      Math.floor(cachedTokens / scheduler.blockSize),
    );
    this.#replica.restart(request);
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
      while (missing > replica.freeKvBlocks && head < tail) this.#preempt(parked[--tail]!);
      if (missing > replica.freeKvBlocks) {
        this.#preempt(request);
        break;
      }
      if (missing > 0) {
        replica.extend(request, missing);
        this.#freeBlocks?.take(missing);
      }
      if (decodes) batch.addDecode(request, processed);
      else batch.addPrefill(request, processed, chunk);
    }
    if (head > 0) parked.copyWithin(0, head, tail);
    replica.parkedCount = tail - head;
  }

  #admit(batch: Batch, nowSeconds: number): void {
    const replica = this.#replica;
    const { batchSizeCap, blockSize, chunkTokens, reserveWholePrompt } = replica.spec.scheduler;
    while (
      replica.queue.length > 0 && replica.runningCount < batchSizeCap &&
      batch.requestCount < this.#microBatchSize && batch.totalTokens < chunkTokens
    ) {
      const next = replica.queue.peek();
      const prompt = replica.requests.prompt(next);
      // Never the whole prompt: the last output token was sampled, not computed.
      const found = this.#freeBlocks?.fullBlocksOf(next) ?? 0;
      const cached = found * blockSize;
      const chunk = Math.min(prompt - cached, chunkTokens - batch.totalTokens);
      const blocks = blocksFor(cached + chunk, blockSize);
      const reserved = reserveWholePrompt ? blocksFor(prompt, blockSize) : blocks;
      if (reserved > replica.freeKvBlocks) return;
      this.#freeBlocks?.reclaim(next);
      this.#freeBlocks?.take(blocks - found);
      batch.addPrefill(replica.admit(blocks, nowSeconds, cached), cached, chunk);
    }
  }
}
