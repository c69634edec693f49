/**
 * From configuration to replicas.
 *
 * @module
 */
import { getGpu, getModel, shardModel } from "../hardware/mod.ts";
import { ConfigError } from "../support/mod.ts";
import {
  type BatchTimer,
  createTimer,
  getGpuEfficiency,
  type TimerOptions,
} from "../timing/mod.ts";
import type { ClusterConfig, ReplicaGroupConfig } from "./cluster_config.ts";
import { planKvBlocks, planVidurMemory } from "./memory_planner.ts";
import type { ReplicaSpec } from "./replica_spec.ts";
import type { SchedulerConfig } from "./scheduler_config.ts";
import { countStageFlops } from "./stage_flops.ts";

/**
 * Resolves a cluster configuration: looks up hardware, plans memory, builds one timer a group.
 *
 * @returns One entry a replica, in order of replica index.
 * @throws {ConfigError} When a name is unknown, the model cannot be split as asked, or it does not
 *   fit the GPU's memory.
 *
 * @example A heterogeneous cluster
 * ```ts
 * import { buildCluster, clusterSchema } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const config = clusterSchema.parse({
 *   replicas: [{ gpu: "h100" }, { gpu: "a40", count: 2 }],
 * });
 * assert.deepEqual(buildCluster(config).map((replica) => replica.gpu), ["h100", "a40", "a40"]);
 * ```
 */
export function buildCluster(config: ClusterConfig): ReplicaSpec[] {
  return config.replicas.flatMap((group, index) => {
    const replica = buildReplica(config, group, `cluster.replicas[${index}]`);
    return Array.from({ length: group.count }, () => replica);
  });
}

/** Says where in the configuration the key is that a lower layer refuses, under another name maybe. */
function within<T>(path: string, act: () => T, key?: string): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`${path}.${key ?? error.field}`, error.value, error.allowed);
  }
}

/** Refuses a pipeline that the scheduler cannot fill. */
function checkScheduler(scheduler: SchedulerConfig, pipelineStages: number, field: string): void {
  const { kind, batchSizeCap, blockSize } = scheduler;
  if (pipelineStages > batchSizeCap) {
    throw new ConfigError(
      `${field}.pipelineStages`,
      pipelineStages,
      `<= cluster.scheduler.batchSizeCap (${batchSizeCap}), which the stages share`,
    );
  }
  if (kind !== "lightllm") return;
  const allowed = "1 with the lightllm scheduler";
  if (blockSize !== 1) throw new ConfigError("cluster.scheduler.blockSize", blockSize, allowed);
  if (pipelineStages !== 1) {
    throw new ConfigError(`${field}.pipelineStages`, pipelineStages, allowed);
  }
}

function buildReplica(
  config: ClusterConfig,
  group: ReplicaGroupConfig,
  field: string,
): ReplicaSpec {
  const { tensorParallel, pipelineStages } = group;
  const { scheduler } = config;
  const model = within("cluster", () => getModel(config.model, config.models));
  const gpu = within(field, () => getGpu(group.gpu, config.gpus));
  const plan = {
    shard: within(field, () => shardModel(model, tensorParallel, pipelineStages)),
    pipelineStages,
    gpuMemoryBytes: gpu.memoryBytes,
    memoryMarginFraction: config.memoryMarginFraction,
    blockSize: scheduler.blockSize,
    maxTokensPerRequest: scheduler.maxTokensPerRequest,
  };
  checkScheduler(scheduler, pipelineStages, field);
  const vidur = planVidurMemory(plan);
  const planned = config.compat === "vidur" ? vidur.kvBlocks : planKvBlocks(plan);
  if (planned < 1) {
    throw new ConfigError(
      `${field}.gpu`,
      gpu.name,
      `a GPU with room for ${model.name} and some KV cache at tensorParallel ${tensorParallel}, ` +
        `pipelineStages ${pipelineStages} (or more of either)`,
    );
  }
  const { kvBlocks = planned } = group;
  if (kvBlocks > planned && config.compat === "none") {
    throw new ConfigError(`${field}.kvBlocks`, kvBlocks, `<= ${planned}, what fits in memory`);
  }
  return {
    gpu: gpu.name,
    model: model.name,
    tensorParallel,
    stageCount: pipelineStages,
    kvBlocks,
    maxBatchSize: config.compat === "vidur"
      ? Math.min(vidur.maxBatchSize, scheduler.batchSizeCap)
      : scheduler.batchSizeCap,
    compat: config.compat,
    scheduler,
    timer: createReplicaTimer(config, group, { model, gpu, tensorParallel, pipelineStages }),
    flops: countStageFlops(model, plan.shard, gpu),
  };
}

/** The timer of a group, with the coefficients that a GPU of its own comes with. */
function createReplicaTimer(
  config: ClusterConfig,
  group: ReplicaGroupConfig,
  options: TimerOptions,
): BatchTimer {
  const index = config.gpus?.findIndex(({ name }) => name === options.gpu.name) ?? -1;
  const given = config.gpus?.[index]?.efficiency;
  const efficiency = typeof given === "string"
    ? within(`cluster.gpus[${index}]`, () => getGpuEfficiency(given), "efficiency")
    : given;
  return createTimer(group.timer ?? config.timer, {
    ...options,
    ...(efficiency !== undefined && { efficiency }),
  });
}
