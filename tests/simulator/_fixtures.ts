/** Small clusters and workloads for tests of the simulator. */
import {
  type ReplicaSpec,
  type SchedulerConfig,
  schedulerSchema,
} from "../../lib/simulator/mod.ts";
import type { BatchShape, BatchTimer } from "../../lib/timing/mod.ts";
import type { Workload } from "../../lib/workload/mod.ts";

/** A timer that depends on everything a batch is, in round numbers. */
export const affineTimer: BatchTimer = {
  modelSeconds: (batch: BatchShape) =>
    0.01 + 1e-4 * batch.totalTokens + 1e-6 * batch.decodeContextTokens,
  overheadSeconds: () => 0,
};

/** A timer of one second an iteration. */
const unitTimer: BatchTimer = { modelSeconds: () => 1, overheadSeconds: () => 0 };

/** A replica with the given scheduler settings. */
export function makeReplica(
  scheduler: Partial<SchedulerConfig> = {},
  spec: Partial<ReplicaSpec> = {},
): ReplicaSpec {
  return {
    gpu: "test",
    model: "test",
    tensorParallel: 1,
    stageCount: 1,
    kvBlocks: 1000,
    maxBatchSize: 128,
    timer: unitTimer,
    ...spec,
    scheduler: schedulerSchema.parse(scheduler),
  };
}

/** A workload from rows of [arrival seconds, prompt tokens, output tokens]. */
export function makeWorkload(rows: readonly (readonly [number, number, number])[]): Workload {
  return {
    name: "test",
    count: rows.length,
    arrivalSeconds: Float64Array.from(rows, (row) => row[0]),
    promptTokens: Int32Array.from(rows, (row) => row[1]),
    outputTokens: Int32Array.from(rows, (row) => row[2]),
  };
}
