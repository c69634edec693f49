/**
 * How fast replicas are, compared with each other.
 *
 * @module
 */
import type { BatchShape, BatchTimer } from "./batch_timer.ts";

/** A replica, as far as its speed is concerned. */
export interface TimedReplica {
  /** Its timer. */
  readonly timer: BatchTimer;
  /** Its pipeline stages, >= 1. */
  readonly stageCount: number;
}

/**
 * The iteration that speeds are measured on: 32 requests decode at 1,200 tokens of context while a
 * 175-token chunk of a prompt is computed. Source: means of the Azure 2023 conversation trace (1,155
 * prompt and 211 output tokens, so 5.5 prompt tokens come with every output token).
 */
const REFERENCE_BATCH: BatchShape = {
  requestCount: 33,
  totalTokens: 32 + 175,
  decodeCount: 32,
  decodeContextTokens: 32 * 1200,
  maxDecodeContextTokens: 1200,
  prefillCount: 1,
  prefillContextTokens: [512],
  prefillChunkTokens: [175],
};

/**
 * Speed of each replica relative to the fastest: the inverse of the time that its slowest stage
 * takes for one reference iteration (32 decodes at 1,200 tokens and a 175-token prompt chunk), CPU
 * overhead included. Weights of the router `speed_weighted_lor`.
 *
 * @param replicas `[replicaCount]`.
 * @returns New array `[replicaCount]` of values in (0, 1].
 * @throws {RangeError} When a stage count is not an integer >= 1.
 *
 * @example
 * ```ts
 * import { getGpu, getModel } from "@signalbox/signalbox/hardware";
 * import { createAnalyticTimer, relativeSpeeds } from "@signalbox/signalbox/timing";
 * import assert from "node:assert/strict";
 *
 * const model = getModel("meta-llama/Llama-2-7b-hf");
 * const speeds = relativeSpeeds(["h100", "a40"].map((gpu) => ({
 *   timer: createAnalyticTimer({ model, gpu: getGpu(gpu), tensorParallel: 1, pipelineStages: 1 }),
 *   stageCount: 1,
 * })));
 * assert.equal(speeds[0], 1);
 * assert.ok(speeds[1]! < 0.5);
 * ```
 */
export function relativeSpeeds(replicas: readonly TimedReplica[]): Float64Array {
  const speeds = Float64Array.from(replicas, ({ timer, stageCount }, replica) => {
    if (!Number.isInteger(stageCount) || stageCount < 1) {
      throw new RangeError(
        `Cannot compare speeds: replicas[${replica}].stageCount must be an integer >= 1, current value is ${stageCount}`,
      );
    }
    let slowest = 0;
    for (let stage = 0; stage < stageCount; stage++) {
      slowest = Math.max(slowest, timer.modelSeconds(REFERENCE_BATCH, stage));
    }
    return 1 / (slowest + timer.overheadSeconds(REFERENCE_BATCH));
  });
  const fastest = speeds.reduce((best, speed) => Math.max(best, speed), 0);
  return speeds.map((speed) => speed / fastest);
}
