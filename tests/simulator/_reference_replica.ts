/**
 * Vidur's replica schedulers written down literally from spec/simulator.md: lists for queues, a map
 * for memory. Slow, and independent of the engine.
 */
import type { ReplicaSpec } from "../../lib/simulator/mod.ts";

/** A request's state, in the terms of the specification. */
export interface ReferenceRequest {
  readonly id: number;
  readonly arrivedAt: number;
  P: number;
  D: number;
  N: number;
  prefillComplete: boolean;
  completed: boolean;
  restarts: number;
  scheduledAt: number;
  prefillCompletedAt: number;
  completedAt: number;
  executionTime: number;
  preemptedTime: number;
  lastStageEnd: number;
  replica: number;
}

/** Requests computed together, with the tokens of each. */
export interface ReferenceBatch {
  readonly id: number;
  readonly requests: ReferenceRequest[];
  readonly tokens: number[];
}

type Formed = { requests: ReferenceRequest[]; tokens: number[] } | undefined;

/** A replica: its queues, its memory and what it batches next. */
export class ReferenceReplica {
  queue: ReferenceRequest[] = [];
  preempted: ReferenceRequest[] = [];
  preemptedBatches: ReferenceBatch[] = [];
  readonly allocation = new Map<number, number>();
  runningBatches = 0;
  waitingIterations = 0;
  readonly stages: { busy: boolean; queue: ReferenceBatch[] }[];
  readonly spec: ReplicaSpec;

  constructor(spec: ReplicaSpec) {
    this.spec = spec;
    this.stages = Array.from({ length: spec.stageCount }, () => ({ busy: false, queue: [] }));
  }

  get allocated(): number {
    return [...this.allocation.values()].reduce((a, b) => a + b, 0);
  }

  allocate(request: ReferenceRequest, blocks: number): void {
    this.allocation.set(request.id, (this.allocation.get(request.id) ?? 0) + blocks);
  }

  canAllocate(request: ReferenceRequest): boolean {
    const { kvBlocks, scheduler } = this.spec;
    const free = kvBlocks - this.allocated;
    if (this.allocation.has(request.id)) return free >= 1;
    const watermark = Math.trunc(scheduler.watermarkFraction * kvBlocks);
    return free - Math.ceil(request.P / scheduler.blockSize) >= watermark;
  }

  allocateFor(request: ReferenceRequest): void {
    const { blockSize } = this.spec.scheduler;
    const held = this.allocation.get(request.id);
    if (held === undefined) this.allocate(request, Math.ceil(request.P / blockSize));
    else if (request.N > held * blockSize) this.allocate(request, 1);
  }

  evict(request: ReferenceRequest): void {
    const total = request.P + request.D;
    request.P = request.N;
    request.D = total - request.N;
    request.N = 0;
    request.prefillComplete = false;
    request.restarts++;
    this.allocation.delete(request.id);
    this.queue = [request, ...this.queue];
  }

  /** The eviction loop; false when the request itself had to go. */
  makeRoom(request: ReferenceRequest): boolean {
    while (!this.canAllocate(request)) {
      const victim = this.preempted.pop();
      this.evict(victim ?? request);
      if (victim === undefined) return false;
    }
    this.allocateFor(request);
    return true;
  }

  next(): Formed {
    const formed = this.#form();
    return formed === undefined || formed.requests.length === 0 ? undefined : formed;
  }

  #form(): Formed {
    switch (this.spec.scheduler.kind) {
      case "vllm":
        return this.#vllm();
      case "sarathi":
        return this.#sarathi();
      case "orca":
        return this.#orca();
      case "lightllm":
        return this.#lightllm();
      default:
        return this.#fasterTransformer();
    }
  }

  #vllm(): Formed {
    const { batchSizeCap, maxTokensInBatch } = this.spec.scheduler;
    const micro = Math.floor(batchSizeCap / this.spec.stageCount);
    const requests: ReferenceRequest[] = [];
    const tokens: number[] = [];
    while (this.queue.length > 0) {
      const request = this.queue[0]!;
      if (!this.canAllocate(request)) break;
      if ((tokens.length + 1) * Math.max(...tokens, request.P) > maxTokensInBatch) break;
      if (this.allocation.size === batchSizeCap || requests.length === micro) break;
      this.queue.shift();
      this.allocateFor(request);
      requests.push(request);
      tokens.push(request.P);
    }
    if (requests.length > 0) return { requests, tokens };
    this.preempted.sort((a, b) => a.arrivedAt - b.arrivedAt);
    while (this.preempted.length > 0 && requests.length < micro) {
      const request = this.preempted.shift()!;
      if (!this.makeRoom(request)) continue;
      requests.push(request);
      tokens.push(1);
    }
    return { requests, tokens };
  }

  #sarathi(): Formed {
    const { batchSizeCap, chunkTokens } = this.spec.scheduler;
    const micro = Math.floor(batchSizeCap / this.spec.stageCount);
    const requests: ReferenceRequest[] = [];
    const tokens: number[] = [];
    let used = 0;
    const add = (request: ReferenceRequest, count: number): void => {
      requests.push(request);
      tokens.push(count);
      used += count;
    };
    const chunk = (request: ReferenceRequest): number =>
      Math.max(0, Math.min(request.P - request.N, chunkTokens - used));
    const begun: ReferenceRequest[] = [];
    const skipped: ReferenceRequest[] = [];
    while (this.preempted.length > 0 && requests.length < micro) {
      const request = this.preempted.shift()!;
      if (!request.prefillComplete) begun.push(request);
      else if (this.makeRoom(request)) add(request, 1);
    }
    for (const request of begun) {
      const count = chunk(request);
      if (count === 0) skipped.push(request);
      else add(request, count);
    }
    this.preempted = [...skipped, ...this.preempted].sort((a, b) => a.arrivedAt - b.arrivedAt);
    while (this.queue.length > 0) {
      const request = this.queue[0]!;
      if (this.allocation.size === batchSizeCap || requests.length === micro) break;
      if (!this.canAllocate(request)) break;
      const count = chunk(request);
      if (count === 0) break;
      this.queue.shift();
      this.allocateFor(request);
      add(request, count);
    }
    return { requests, tokens };
  }

  #orca(): Formed {
    const requests = this.preempted.splice(0, this.spec.maxBatchSize);
    requests.push(...this.#admitReserved(this.spec.maxBatchSize - requests.length));
    return { requests, tokens: requests.map(nextTokens) };
  }

  #fasterTransformer(): Formed {
    const previous = this.preemptedBatches.shift();
    const requests = previous?.requests.filter((request) => !request.completed) ??
      this.#admitReserved(this.spec.maxBatchSize);
    return { requests, tokens: requests.map(nextTokens) };
  }

  #lightllm(): Formed {
    const { maxWaitingIterations } = this.spec.scheduler;
    const isDue = this.waitingIterations >= maxWaitingIterations;
    if (this.preempted.length === 0 || isDue) {
      if (isDue && this.preempted.length > 0) this.waitingIterations = 0;
      const admitted = this.#admitLookingAhead();
      if (admitted.length > 0) {
        if (this.preempted.length === 0) this.waitingIterations = 0;
        return { requests: admitted, tokens: admitted.map((request) => request.P) };
      }
    }
    if (this.preempted.length === 0) return undefined;
    this.waitingIterations++;
    const requests = this.preempted.splice(0);
    for (const request of requests) this.allocate(request, 1);
    return { requests, tokens: requests.map(nextTokens) };
  }

  #admitLookingAhead(): ReferenceRequest[] {
    const { batchSizeCap, maxTokensInBatch } = this.spec.scheduler;
    const entries = this.preempted.map((r) => [r.N, Math.max(0, r.D - Math.max(r.N - r.P, 0) - 1)]);
    const admitted: ReferenceRequest[] = [];
    let tokens = 0;
    while (this.queue.length > 0) {
      const request = this.queue[0]!;
      if (tokens + request.P > maxTokensInBatch || this.allocation.size === batchSizeCap) break;
      entries.push([request.P + 1, Math.max(0, request.D - 2)]);
      entries.sort((a, b) => b[1]! - a[1]!);
      const needs = entries.map(([, remaining], i) =>
        remaining! * (i + 1) + entries.slice(0, i + 1).reduce((sum, [hasRun]) => sum + hasRun!, 0)
      );
      if (Math.max(...needs) >= this.spec.kvBlocks) break;
      this.queue.shift();
      this.allocate(request, request.P);
      tokens += request.P;
      admitted.push(request);
    }
    return admitted;
  }

  #admitReserved(limit: number): ReferenceRequest[] {
    const { kvBlocks, scheduler: { maxTokensPerRequest, blockSize } } = this.spec;
    const blocks = Math.floor(maxTokensPerRequest / blockSize);
    const admitted: ReferenceRequest[] = [];
    while (
      this.queue.length > 0 && admitted.length < limit && kvBlocks - this.allocated >= blocks
    ) {
      const request = this.queue.shift()!;
      this.allocate(request, blocks);
      admitted.push(request);
    }
    return admitted;
  }

  onBatchEnd(batch: ReferenceBatch): void {
    this.runningBatches--;
    if (this.spec.scheduler.kind === "faster_transformer") {
      if (batch.requests.some((request) => !request.completed)) this.preemptedBatches.push(batch);
      else for (const request of batch.requests) this.allocation.delete(request.id);
      return;
    }
    for (const request of batch.requests) {
      if (request.completed) this.allocation.delete(request.id);
      else this.preempted.push(request);
    }
  }
}

function nextTokens(request: ReferenceRequest): number {
  return request.prefillComplete ? 1 : request.P;
}
