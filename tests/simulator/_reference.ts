/**
 * Vidur's event loop written down literally from spec/simulator.md sections 1, 2, 4 and 6: one event
 * object an event, ordered by (time, id), lists for queues. Slow, and independent of the engine.
 */
import type { ReplicaSpec } from "../../lib/simulator/mod.ts";
import type { Workload } from "../../lib/workload/mod.ts";
import {
  type ReferenceBatch,
  ReferenceReplica,
  type ReferenceRequest,
} from "./_reference_replica.ts";

/** What a literal run leaves. */
export interface ReferenceRun {
  readonly requests: readonly ReferenceRequest[];
  readonly eventCount: number;
  /** Batches in order of their ends, as text. */
  readonly batches: readonly string[];
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
