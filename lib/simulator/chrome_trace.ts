/**
 * Timelines for Perfetto and `chrome://tracing`.
 *
 * @module
 */
import type { ReplicaSpec } from "./replica_spec.ts";
import type { BatchRecord, SimulationObserver } from "./simulation.ts";

/** Trace times are microseconds. */
const MICROSECONDS_PER_SECOND = 1e6;

/**
 * Writes every stage execution of every batch as one event of the Trace Event Format: a process per
 * replica, a thread per pipeline stage. Text goes out event by event, so memory stays bounded.
 *
 * Source: spec/simulator.md section 2 (`BatchStage`); "Trace Event Format", Google, 2016.
 *
 * @example
 * ```ts
 * import { buildCluster, ChromeTrace, clusterSchema, Simulator } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const replicas = buildCluster(clusterSchema.parse({}));
 * const workload = {
 *   name: "one request",
 *   count: 1,
 *   arrivalSeconds: Float64Array.of(0),
 *   promptTokens: Int32Array.of(700),
 *   outputTokens: Int32Array.of(2),
 * };
 * let text = "";
 * const trace = new ChromeTrace(replicas, (piece) => text += piece);
 * new Simulator(workload, replicas, { observers: [trace] }).run(() => 0);
 * trace.end();
 * const { traceEvents } = JSON.parse(text);
 * const batches = traceEvents.filter((event: { ph: string }) => event.ph === "X");
 * assert.deepEqual(batches.map((event: { args: { tokens: number[] } }) => event.args.tokens), [
 *   [512],
 *   [188],
 *   [1],
 * ]);
 * ```
 */
export class ChromeTrace implements SimulationObserver {
  readonly #write: (text: string) => void;
  #eventCount = 0;

  /**
   * Begins the document and names the processes.
   *
   * @param write Takes the pieces of the JSON text, in order.
   */
  constructor(replicas: readonly ReplicaSpec[], write: (text: string) => void) {
    this.#write = write;
    write('{"displayTimeUnit":"ms","traceEvents":[');
    replicas.forEach(({ gpu, model, stageCount }, pid) => {
      this.#event({
        name: "process_name",
        ph: "M",
        pid,
        tid: 0,
        args: { name: `replica ${pid}: ${model} on ${gpu}` },
      });
      for (let tid = 0; tid < stageCount; tid++) {
        this.#event({ name: "thread_name", ph: "M", pid, tid, args: { name: `stage ${tid}` } });
      }
    });
  }

  /** Adds one slice to the stage's track. */
  onBatchStageEnd(record: BatchRecord): void {
    const { requestCount, startSeconds, endSeconds } = record;
    const requests = Array.from({ length: requestCount }, (_, i) => record.requests[i]!);
    this.#event({
      name: `${requestCount} requests, ${record.prefillTokens} prompt tokens`,
      cat: record.prefillTokens > 0 ? "prefill" : "decode",
      ph: "X",
      ts: startSeconds * MICROSECONDS_PER_SECOND,
      dur: (endSeconds - startSeconds) * MICROSECONDS_PER_SECOND,
      pid: record.replica,
      tid: record.stage,
      args: {
        batch: record.batchIndex,
        kvBlocksUsed: record.kvBlocksUsed,
        requests,
        tokens: requests.map((_, i) => record.tokens[i]!),
      },
    });
  }

  /** Marks the moment at which a failing replica lost a request. */
  onRequeued(request: number, replica: number, nowSeconds: number): void {
    this.#event({
      name: `request ${request} lost`,
      ph: "i",
      s: "p",
      ts: nowSeconds * MICROSECONDS_PER_SECOND,
      pid: replica,
      tid: 0,
    });
  }

  /** Ends the document. */
  end(): void {
    this.#write("\n]}\n");
  }

  #event(event: Readonly<Record<string, unknown>>): void {
    this.#write(`${this.#eventCount++ === 0 ? "\n" : ",\n"}${JSON.stringify(event)}`);
  }
}
