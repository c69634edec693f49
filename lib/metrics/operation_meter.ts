/**
 * What replicas spend their time on.
 *
 * @module
 */
import type { BatchRecord, ReplicaSpec, SimulationObserver } from "../simulator/mod.ts";
import { type OperationKind, operationKinds, type OperationSeconds } from "../timing/mod.ts";

/**
 * Observer that sums the seconds of each kind of operation, by replica, over all stages and batches.
 * The parts of a batch are those of the replica's timer, stretched to the time that the batch took
 * where the replica was slowed down.
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
 * const [spent] = meter.summarize();
 * assert.ok(spent!.matmul > 10 * spent!.attention); // a lone short sequence reads weights
 * assert.equal(spent!.communication, 0); // one GPU
 * ```
 */
export class OperationMeter implements SimulationObserver {
  readonly #replicas: readonly ReplicaSpec[];
  readonly #seconds: readonly Record<OperationKind, number>[];

  /**
   * Nothing measured yet.
   *
   * @param replicas The cluster that is watched.
   * @throws {TypeError} When a timer does not tell operations apart.
   */
  constructor(replicas: readonly ReplicaSpec[]) {
    replicas.forEach(({ timer, gpu }, replica) => {
      if (timer.operationSeconds !== undefined) return;
      throw new TypeError(
        `Cannot measure operations: the timer of replica ${replica} (${gpu}) must have operationSeconds`,
      );
    });
    this.#replicas = replicas;
    this.#seconds = replicas.map(() => ({
      matmul: 0,
      attention: 0,
      elementwise: 0,
      communication: 0,
      launch: 0,
      sampling: 0,
      cpu: 0,
    }));
  }

  /** Takes the stage execution into the sums. */
  onBatchStageEnd(record: BatchRecord): void {
    const { timer } = this.#replicas[record.replica]!;
    const parts = timer.operationSeconds!(record.shape, record.stage);
    const sums = this.#seconds[record.replica]!;
    const total = operationKinds.reduce((sum, kind) => sum + parts[kind], 0);
    const stretch = (record.endSeconds - record.startSeconds) / total;
    for (const kind of operationKinds) sums[kind] += stretch * parts[kind];
  }

  /** Seconds so far, one record a replica. */
  summarize(): OperationSeconds[] {
    return this.#seconds.map((seconds) => ({ ...seconds }));
  }
}
