/**
 * Engine runs on the simulator.
 *
 * @module
 */
import { Simulator } from "../simulator/mod.ts";
import type { BatchTimer } from "../timing/mod.ts";
import type { EngineRun, RequestLatencies } from "./engine_run.ts";

/**
 * Serves the requests of a run on one simulated replica with the engine's settings.
 *
 * @param run The run; what was measured is not looked at.
 * @param timer How long a batch takes on the run's GPU.
 * @returns Latencies in the order of the run's requests.
 *
 * @example An engine whose every iteration takes a second
 * ```ts
 * import { replayEngineRun } from "@signalbox/signalbox/fidelity";
 * import { schedulerSchema } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const unknown = Float64Array.of(NaN);
 * const { ttft, e2e } = replayEngineRun({
 *   workload: {
 *     name: "one request",
 *     count: 1,
 *     arrivalSeconds: Float64Array.of(0),
 *     promptTokens: Int32Array.of(100),
 *     outputTokens: Int32Array.of(3),
 *   },
 *   measured: { ttft: unknown, tpot: unknown, e2e: unknown },
 *   gpu: "none",
 *   model: "none",
 *   tensorParallel: 1,
 *   scheduler: schedulerSchema.parse({ kind: "vllm_v1" }),
 *   kvBlocks: 100,
 * }, { modelSeconds: () => 1, overheadSeconds: () => 0 });
 * assert.deepEqual([ttft[0], e2e[0]], [1, 3]);
 * ```
 */
export function replayEngineRun(run: EngineRun, timer: BatchTimer): RequestLatencies {
  const { workload, gpu, model, tensorParallel, scheduler, kvBlocks } = run;
  const { outcomes } = new Simulator(workload, [{
    gpu,
    model,
    tensorParallel,
    stageCount: 1,
    kvBlocks,
    maxBatchSize: scheduler.batchSizeCap,
    scheduler,
    timer,
  }]).run(() => 0);
  const { firstTokenSeconds, completedSeconds } = outcomes;
  const { arrivalSeconds, outputTokens } = workload;
  return {
    ttft: firstTokenSeconds.map((first, i) => first - arrivalSeconds[i]!),
    // 0 / 0 where there is one token.
    tpot: completedSeconds.map((last, i) =>
      (last - firstTokenSeconds[i]!) / (outputTokens[i]! - 1)
    ),
    e2e: completedSeconds.map((last, i) => last - arrivalSeconds[i]!),
  };
}
