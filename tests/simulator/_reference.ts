/**
 * Vidur's event loop written down literally from spec/simulator.md sections 1, 2, 4 and 6: one event
 * object an event, ordered by (time, id), lists for queues. Slow, and independent of the engine.
 */
import type { ReplicaSpec } from "../../lib/simulator/mod.ts";
import type { Workload } from "../../lib/workload/mod.ts";

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

interface ReferenceBatch {
  readonly id: number;
  readonly requests: ReferenceRequest[];
  readonly tokens: number[];
}

/** What a literal run leaves. */
export interface ReferenceRun {
  readonly requests: readonly ReferenceRequest[];
  readonly eventCount: number;
  /** Batches in order of their ends, as text. */
  readonly batches: readonly string[];
}

type Formed = { requests: ReferenceRequest[]; tokens: number[] } | undefined;

class ReferenceReplica {
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

/** Runs a workload, routing by a fixed list of choices or to the fewest waiting requests. */
export function runReference(
  workload: Workload,
  specs: readonly ReplicaSpec[],
  choices: readonly number[] | "lor",
): ReferenceRun {
  const requests = Array.from({ length: workload.count }, (_, id): ReferenceRequest => ({
    id,
    arrivedAt: workload.arrivalSeconds[id]!,
    P: workload.promptTokens[id]!,
    D: workload.outputTokens[id]!,
    N: 0,
    prefillComplete: false,
    completed: false,
    restarts: 0,
    scheduledAt: NaN,
    prefillCompletedAt: NaN,
    completedAt: NaN,
    executionTime: 0,
    preemptedTime: 0,
    lastStageEnd: NaN,
    replica: -1,
  }));
  const replicas = specs.map((spec) => new ReferenceReplica(spec));
  const batches: string[] = [];
  const globalQueue: ReferenceRequest[] = [];
  let events: { time: number; id: number; handle: () => void }[] = [];
  let created = 0;
  let handled = 0;
  let batchCount = 0;
  let now = 0;
  const emit = (time: number, handle: () => void): void => {
    events.push({ time, id: created++, handle });
  };

  const replicaSchedule = (index: number): void => {
    const replica = replicas[index]!;
    const formed: ReferenceBatch[] = [];
    while (replica.runningBatches < replica.spec.stageCount) {
      const next = replica.next();
      if (next === undefined) break;
      replica.runningBatches++;
      formed.push({ id: batchCount++, ...next });
    }
    for (const batch of formed) {
      for (const request of batch.requests) {
        if (Number.isNaN(request.scheduledAt)) request.scheduledAt = now;
      }
      emit(now, () => stageArrival(index, 0, batch));
    }
  };
  const stageArrival = (index: number, stage: number, batch: ReferenceBatch): void => {
    replicas[index]!.stages[stage]!.queue.push(batch);
    emit(now, () => stageSchedule(index, stage));
  };
  const stageSchedule = (index: number, stage: number): void => {
    const replica = replicas[index]!;
    const state = replica.stages[stage]!;
    if (state.busy || state.queue.length === 0) return;
    state.busy = true;
    const batch = state.queue.shift()!;
    for (const request of batch.requests) {
      if (!Number.isNaN(request.lastStageEnd)) request.preemptedTime += now - request.lastStageEnd;
    }
    const seconds = duration(replica.spec, batch, stage);
    emit(now + seconds, () => stageEnd(index, stage, batch, seconds));
  };
  const stageEnd = (index: number, stage: number, batch: ReferenceBatch, seconds: number): void => {
    const replica = replicas[index]!;
    replica.stages[stage]!.busy = false;
    for (const request of batch.requests) {
      request.executionTime += seconds;
      request.lastStageEnd = now;
    }
    emit(now, () => stageSchedule(index, stage));
    if (stage === replica.spec.stageCount - 1) emit(now, () => batchEnd(index, batch));
    else emit(now, () => stageArrival(index, stage + 1, batch));
  };
  const batchEnd = (index: number, batch: ReferenceBatch): void => {
    batches.push(`${batch.id}@${index} ${batch.requests.map((r) => r.id)} ${batch.tokens} ${now}`);
    batch.requests.forEach((request, i) => {
      request.N += batch.tokens[i]!;
      if (request.N === request.P) {
        request.prefillComplete = true;
        request.N++;
        if (Number.isNaN(request.prefillCompletedAt)) request.prefillCompletedAt = now;
      }
      if (request.N === request.P + request.D) {
        request.completed = true;
        request.completedAt = now;
      }
    });
    replicas[index]!.onBatchEnd(batch);
    emit(now, () => replicaSchedule(index));
  };
  const globalSchedule = (): void => {
    const targets = new Set<number>();
    for (const request of globalQueue.splice(0)) {
      request.replica = choices === "lor"
        ? fewestWaiting(replicas)
        : choices[request.id % choices.length]! % replicas.length;
      replicas[request.replica]!.queue.push(request);
      targets.add(request.replica);
    }
    for (const index of [...targets].sort((a, b) => a - b)) emit(now, () => replicaSchedule(index));
  };

  for (const request of requests) {
    emit(request.arrivedAt, () => {
      globalQueue.push(request);
      emit(now, globalSchedule);
    });
  }
  while (events.length > 0) {
    const first = events.reduce((a, b) =>
      b.time < a.time || (b.time === a.time && b.id < a.id) ? b : a
    );
    events = events.filter((event) => event !== first);
    now = first.time;
    handled++;
    first.handle();
  }
  return { requests, eventCount: handled, batches };
}

function fewestWaiting(replicas: readonly ReferenceReplica[]): number {
  const waiting = replicas.map(({ queue }) => queue.length);
  return waiting.indexOf(Math.min(...waiting));
}

function duration(spec: ReplicaSpec, batch: ReferenceBatch, stage: number): number {
  const decodes = batch.requests.filter((request) => request.prefillComplete);
  const prefills = batch.requests.flatMap((request, i) =>
    request.prefillComplete ? [] : [{ context: request.N, chunk: batch.tokens[i]! }]
  );
  const shape = {
    requestCount: batch.requests.length,
    totalTokens: batch.tokens.reduce((a, b) => a + b, 0),
    decodeCount: decodes.length,
    decodeContextTokens: decodes.reduce((sum, request) => sum + request.N, 0),
    maxDecodeContextTokens: Math.max(0, ...decodes.map((request) => request.N)),
    prefillCount: prefills.length,
    prefillContextTokens: prefills.map((prefill) => prefill.context),
    prefillChunkTokens: prefills.map((prefill) => prefill.chunk),
  };
  return spec.timer.modelSeconds(shape, stage) + spec.timer.overheadSeconds(shape);
}
