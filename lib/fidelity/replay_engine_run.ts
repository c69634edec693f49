/**
 * Engine runs on the simulator.
 *
 * @module
 */
import { type ClusterView, Simulator } from "../simulator/mod.ts";
import type { BatchTimer } from "../timing/mod.ts";
import type { RequestLatencies } from "./engine_log.ts";
import type { EngineRun } from "./engine_run.ts";

/**
 * Serves the requests of a run on simulated replicas with the engine's settings, one for each
 * data-parallel copy. With several, a request goes where vLLM's client sends it: to the least
 * `4 waiting + running`, the first of equals (`v1/engine/core_client.py`).
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
 *   dataParallel: 1,
 *   kvNumberBytes: 2,
 *   scheduler: schedulerSchema.parse({ kind: "vllm_v1" }),
 *   kvBlocks: 100,
 * }, { modelSeconds: () => 1, overheadSeconds: () => 0 });
 * assert.deepEqual([ttft[0], e2e[0]], [1, 3]);
 * ```
 */
export function replayEngineRun(run: EngineRun, timer: BatchTimer): RequestLatencies {
  const { workload, gpu, model, tensorParallel, scheduler, kvBlocks } = run;
  const replica = {
    gpu,
    model,
    tensorParallel,
    stageCount: 1,
    kvBlocks,
    maxBatchSize: scheduler.batchSizeCap,
    scheduler,
    timer,
  };
  const replicas = Array<typeof replica>(run.dataParallel).fill(replica);
  const simulator = new Simulator(workload, replicas);
  const { outcomes } = simulator.run(() => leastLoaded(simulator.view));
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

function leastLoaded(view: ClusterView): number {
  let least = 0;
  const load = (replica: number): number =>
    4 * view.waitingCount(replica) + view.runningCount(replica);
  for (let replica = 1; replica < view.replicaCount; replica++) {
    if (load(replica) < load(least)) least = replica;
  }
  return least;
}
