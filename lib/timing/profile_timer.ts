/**
 * Batch times interpolated from Vidur's profiles.
 *
 * @module
 */
import { type GpuSpec, type ModelSpec, shardModel } from "../hardware/mod.ts";
import { ConfigError } from "../support/mod.ts";
import {
  communicationParts,
  cpuPart,
  createSeparateAttention,
  measuredPart,
  onlyInStage,
  operationPart,
  stretchParts,
} from "./_operation_parts.ts";
import { createAttentionTerm, createSamplingTerm } from "./_roofline.ts";
import type { BatchShape, BatchTimer } from "./batch_timer.ts";
import { getGpuEfficiency, type GpuEfficiency } from "./gpu_efficiency.ts";
import { vidurCpuOperations, vidurLayerOperations } from "./_vidur_points.ts";
import type { VidurProfile } from "./vidur_profile.ts";

/** What {@linkcode createProfileTimer} times. */
export interface ProfileTimerOptions {
  /** The profiled model. */
  readonly model: ModelSpec;
  /** The profiled GPU: its peaks stand in for what the profile lacks. */
  readonly gpu: GpuSpec;
  /** The profiled degree of tensor parallelism. */
  readonly tensorParallel: number;
  /** Pipeline stages that share the layers. */
  readonly pipelineStages: number;
  /** Coefficients for what the profile lacks; the fitted ones of `gpu` by default. */
  readonly efficiency?: GpuEfficiency;
}

/**
 * Creates a timer from measured tables. What they lack is computed as the analytic timer does: the
 * output matrix and sampling, which Vidur does not profile, and, where there is no such table,
 * attention and the CPU time of an iteration.
 *
 * Several prompt chunks `c_i` with contexts `n_i` are looked up as one of `C = sum c_i` tokens with
 * the context that gives the same number of query-key pairs, `sum c_i (n_i + c_i / 2) / C - C / 2`,
 * or, where that is negative, as one without context of `sqrt(2 pairs)` tokens; decodes at their
 * mean context. Prompt chunks and decodes run in kernels of their own, as they were profiled.
 *
 * @throws {ConfigError} When the model cannot be split so, or the collectives that it takes were not
 *   profiled.
 *
 * @example
 * ```ts
 * import { getGpu, getModel } from "@signalbox/signalbox/hardware";
 * import { createProfileTimer } from "@signalbox/signalbox/timing";
 * import assert from "node:assert/strict";
 *
 * // What `readVidurProfile` returns for a profile without attention: a millisecond a token here.
 * const profile = {
 *   operationSeconds: () => 0.0001,
 *   layerSeconds: (tokens: number) => 0.001 * tokens,
 *   embeddingSeconds: () => 0,
 *   prefillSeconds: undefined,
 *   decodeSeconds: undefined,
 *   allReduceSeconds: undefined,
 *   sendRecvSeconds: undefined,
 *   cpuSeconds: undefined,
 * };
 * const timer = createProfileTimer(profile, {
 *   model: getModel("meta-llama/Llama-2-7b-hf"),
 *   gpu: getGpu("a100"),
 *   tensorParallel: 1,
 *   pipelineStages: 1,
 * });
 * const seconds = timer.modelSeconds({
 *   requestCount: 1,
 *   totalTokens: 1,
 *   decodeCount: 1,
 *   decodeContextTokens: 100,
 *   maxDecodeContextTokens: 100,
 *   prefillCount: 0,
 *   prefillContextTokens: [],
 *   prefillChunkTokens: [],
 * }, 0);
 * assert.ok(seconds > 0.032 && seconds < 0.034);
 * ```
 */
export function createProfileTimer(
  profile: VidurProfile,
  options: ProfileTimerOptions,
): BatchTimer {
  const { model, gpu, tensorParallel, pipelineStages } = options;
  const { prefillSeconds, decodeSeconds, cpuSeconds } = profile;
  const efficiency = options.efficiency ?? getGpuEfficiency(gpu.name);
  const shard = shardModel(model, tensorParallel, pipelineStages);
  const layers = shard.layersPerStage;
  const setting = { model, gpu, shard, efficiency };
  const sampling = createSamplingTerm(setting);
  const attention = prefillSeconds !== undefined && decodeSeconds !== undefined
    ? createSeparateAttention(layers, prefillSeconds, decodeSeconds)
    : createAttentionTerm(setting);
  const reduceSeconds = tensorParallel > 1
    ? required("tensorParallel", tensorParallel, profile.allReduceSeconds)
    : undefined;
  const sendSeconds = pipelineStages > 1
    ? required("pipelineStages", pipelineStages, profile.sendRecvSeconds)
    : undefined;
  const lastStage = pipelineStages - 1;
  const overheadSeconds = (batch: BatchShape): number =>
    cpuSeconds?.(batch.requestCount) ?? efficiency.iterationSeconds;

  return {
    modelSeconds(batch: BatchShape, stage: number): number {
      const tokens = batch.totalTokens;
      let seconds = layers * profile.layerSeconds(tokens) + attention.seconds(batch);
      if (reduceSeconds !== undefined) seconds += 2 * layers * reduceSeconds(tokens);
      if (stage === 0) seconds += profile.embeddingSeconds(tokens);
      if (stage === lastStage) seconds += sampling.seconds(batch.requestCount);
      else seconds += sendSeconds!(tokens);
      return seconds;
    },
    overheadSeconds,
    operationParts: () => [
      ...stretchParts(
        vidurLayerOperations.map((name) =>
          measuredPart(name, (batch) => profile.operationSeconds(name, batch.totalTokens))
        ),
        (batch) => layers * profile.layerSeconds(batch.totalTokens),
      ),
      ...attention.parts,
      onlyInStage(
        0,
        operationPart(["embedding"], (batch) => profile.embeddingSeconds(batch.totalTokens)),
      ),
      ...communicationParts(
        reduceSeconds && ((tokens) => 2 * layers * reduceSeconds(tokens)),
        sendSeconds,
        pipelineStages,
      ),
      ...sampling.parts.map((part) => onlyInStage(lastStage, part)),
      ...(cpuSeconds === undefined ? [cpuPart(overheadSeconds)] : stretchParts(
        vidurCpuOperations.map((name) =>
          operationPart([name], (batch) => profile.operationSeconds(name, batch.requestCount))
        ),
        overheadSeconds,
      )),
    ],
  };
}

/** The profile of a collective, or an error that says what it is needed for. */
function required(
  field: string,
  degree: number,
  collectiveSeconds: ((tokens: number) => number) | undefined,
): (tokens: number) => number {
  if (collectiveSeconds !== undefined) return collectiveSeconds;
  throw new ConfigError(field, degree, "1 where its collective was not profiled");
}
