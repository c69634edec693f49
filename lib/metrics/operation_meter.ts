/**
 * What replicas spend their time on.
 *
 * @module
 */
import type { BatchRecord, ReplicaSpec, SimulationObserver } from "../simulator/mod.ts";
import type { BatchTimer, OperationPart } from "../timing/mod.ts";
import type { OperationRow } from "./operations_table.ts";

/** Running sums of one stage, by part of its timer. */
interface StageSums {
  readonly batches: Float64Array;
  readonly seconds: Float64Array;
}

/**
 * Observer that sums the seconds of each operation that a replica's timer tells apart, by stage over
 * all batches, stretched to the time that a batch took where the replica was slowed down: they sum
 * to the time for which the stage was busy.
 *
 * @example
 * ```ts
 * import { OperationMeter } from "@signalbox/signalbox/metrics";
 * import { buildCluster, clusterSchema, Simulator } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const replicas = buildCluster(clusterSchema.parse({ replicas: [{ gpu: "a100" }] }));
 * const workload = {
 *   name: "one request",
 *   count: 1,
 *   arrivalSeconds: Float64Array.of(0),
 *   promptTokens: Int32Array.of(100),
 *   outputTokens: Int32Array.of(500),
 * };
 * const meter = new OperationMeter(replicas);
 * new Simulator(workload, replicas, { observers: [meter] }).run(() => 0);
 * const spent = new Map(meter.summarize().map((row) => [row.operation, row]));
 * const [up, decode] = [spent.get("mlp_up_proj")!, spent.get("attn_decode+attn_kv_cache_save")!];
 * assert.ok(up.seconds > 10 * decode.seconds); // a lone short sequence reads weights
 * assert.equal(up.batches, decode.batches + 1); // the first batch computes the prompt
 * assert.ok(!spent.has("pipeline_send_recv")); // one stage
 * ```
 */
export class OperationMeter implements SimulationObserver {
  readonly #replicas: readonly ReplicaSpec[];
  readonly #parts: readonly (readonly OperationPart[])[];
  readonly #sums: readonly (readonly StageSums[])[];
  readonly #scratch: Float64Array;

  /**
   * Nothing measured yet.
   *
   * @param replicas The cluster that is watched.
   * @throws {TypeError} When a timer does not tell operations apart.
   */
  constructor(replicas: readonly ReplicaSpec[]) {
    // Replicas of one kind share their timer.
    const known = new Map<BatchTimer, readonly OperationPart[]>();
    this.#replicas = replicas;
    this.#parts = replicas.map(({ timer, gpu }, replica) => {
      const parts = known.get(timer) ?? timer.operationParts?.();
      if (parts === undefined) {
        throw new TypeError(
          `Cannot measure operations: the timer of replica ${replica} (${gpu}) must have operationParts`,
        );
      }
      known.set(timer, parts);
      return parts;
    });
    this.#sums = replicas.map(({ stageCount }, replica) => {
      const { length } = this.#parts[replica]!;
      return Array.from({ length: stageCount }, () => ({
        batches: new Float64Array(length),
        seconds: new Float64Array(length),
      }));
    });
    this.#scratch = new Float64Array(Math.max(0, ...this.#parts.map(({ length }) => length)));
  }

  /** Takes the stage execution into the sums. */
  onBatchStageEnd({ replica, stage, shape, startSeconds, endSeconds }: BatchRecord): void {
    const parts = this.#parts[replica]!;
    const { batches, seconds } = this.#sums[replica]![stage]!;
    let total = 0;
    for (let i = 0; i < parts.length; i++) {
      const own = parts[i]!.seconds(shape, stage);
      this.#scratch[i] = own;
      total += own;
      if (own > 0) batches[i]!++;
    }
    const stretch = (endSeconds - startSeconds) / total;
    for (let i = 0; i < parts.length; i++) seconds[i]! += stretch * this.#scratch[i]!;
  }

  /** Sums so far, by replica and stage; what took no time is left out. */
  summarize(): OperationRow[] {
    return this.#replicas.flatMap(({ gpu }, replica) =>
      this.#sums[replica]!.flatMap(({ batches, seconds }, stage) =>
        this.#parts[replica]!.flatMap(({ operations, kind }, i) =>
          batches[i] === 0 ? [] : [{
            replica,
            gpu,
            stage,
            operation: operations.join("+"),
            kind,
            batches: batches[i]!,
            seconds: seconds[i]!,
          }]
        )
      )
    );
  }
}
