/**
 * Batch times from first principles: a roofline over a model's architecture and a GPU's peaks.
 *
 * @module
 */
import { BYTES_PER_NUMBER, type GpuSpec, type ModelSpec, shardModel } from "../hardware/mod.ts";
import { createAttentionTerm, createSamplingTerm, smoothMax } from "./_roofline.ts";
import type { BatchShape, BatchTimer, OperationSeconds } from "./batch_timer.ts";
import { getGpuEfficiency, type GpuEfficiency } from "./gpu_efficiency.ts";

/** What {@linkcode createAnalyticTimer} times. */
export interface AnalyticTimerOptions {
  /** The served model. */
  readonly model: ModelSpec;
  /** The kind of GPU. */
  readonly gpu: GpuSpec;
  /** GPUs that share every layer. */
  readonly tensorParallel: number;
  /** Pipeline stages that share the layers. */
  readonly pipelineStages: number;
  /** Coefficients to use instead of the fitted ones of `gpu`. */
  readonly efficiency?: GpuEfficiency;
}

/**
 * Creates a timer that needs no profile of the model. With `T` tokens in the batch, one layer takes
 *
 * - matrix products: `max(weight bytes / bandwidth, 2 weights T / FLOP/s)`,
 * - norms, rotary embedding, activation: `T x bytes moved / bandwidth`,
 * - prefill attention: `max(4 q d sum c (n + (c + 1) / 2 + w (c - 1) / 2) / FLOP/s, longest (n + c) x
 *   latency)` over chunks of `c` tokens with `n` already cached, `q` query heads of width `d`, and
 *   `w` the share of masked pairs that is computed too,
 * - decode attention: `KV bytes of all contexts / bandwidth`, more beside a prompt chunk,
 * - with `g` GPUs a layer, two all-reduces of `latency + 2 (g - 1) / g x bytes / link`,
 * - a fixed time for launches;
 *
 * the last stage adds the output matrix and sampling for one token a request, every other stage the
 * transfer of activations to the next. `max(a, b)` is the smooth `sqrt(a^2 + b^2)`, which fits measured
 * products better than sharper ones. The time is positive, finite and non-decreasing in tokens,
 * chunks and contexts, and costs no allocation.
 *
 * Source: roofline model of Williams et al., CACM 52 (2009); operation counts as in Vidur
 * (spec/simulator.md section 2), plus embedding, output matrix and CPU time, which Vidur leaves out.
 *
 * @throws {ConfigError} When the model cannot be split so, or the GPU has no fitted efficiencies.
 *
 * @example An iteration with 32 decodes of Llama-3.1-8B on an A100
 * ```ts
 * import { getGpu, getModel } from "@signalbox/signalbox/hardware";
 * import { createAnalyticTimer } from "@signalbox/signalbox/timing";
 * import assert from "node:assert/strict";
 *
 * const timer = createAnalyticTimer({
 *   model: getModel("meta-llama/Llama-3.1-8B"),
 *   gpu: getGpu("a100"),
 *   tensorParallel: 1,
 *   pipelineStages: 1,
 * });
 * const seconds = timer.modelSeconds({
 *   requestCount: 32,
 *   totalTokens: 32,
 *   decodeCount: 32,
 *   decodeContextTokens: 32 * 1000,
 *   maxDecodeContextTokens: 1000,
 *   prefillCount: 0,
 *   prefillContextTokens: [],
 *   prefillChunkTokens: [],
 * }, 0);
 * // Reading 15 GB of weights and 4 GB of KV cache at 2 TB/s takes 9.5 ms.
 * assert.ok(seconds > 0.0095 && seconds < 0.016);
 * ```
 */
export function createAnalyticTimer(options: AnalyticTimerOptions): BatchTimer {
  const { model, gpu, tensorParallel, pipelineStages } = options;
  const efficiency = options.efficiency ?? getGpuEfficiency(gpu.name);
  const shard = shardModel(model, tensorParallel, pipelineStages);
  const layers = shard.layersPerStage;
  const bandwidth = gpu.memoryBandwidthBytesPerSecond;
  const matmulFlops = gpu.fp16FlopsPerSecond * efficiency.matmulCompute;
  const matmulBandwidth = bandwidth * efficiency.matmulMemory;
  const elementwiseBandwidth = bandwidth * efficiency.elementwiseMemory;

  const weights = layers * (shard.attentionParameters + shard.mlpParameters);
  const weightSeconds = weights * BYTES_PER_NUMBER / matmulBandwidth;
  const weightTokenSeconds = 2 * weights / matmulFlops;
  const activationBytes = layers * elementwiseBytes(model, tensorParallel, shard.qHeads);
  const streamBytes = model.embeddingDim * BYTES_PER_NUMBER;
  const linkBandwidth = gpu.linkBandwidthBytesPerSecond * efficiency.linkBandwidth;
  const reduceCount = tensorParallel > 1 ? 2 * layers : 0;
  const reduceShare = 2 * (tensorParallel - 1) / tensorParallel;
  const fixedSeconds = layers * efficiency.layerSeconds + reduceCount * efficiency.linkSeconds;
  const tokenSeconds = activationBytes / elementwiseBandwidth +
    reduceCount * reduceShare * streamBytes / linkBandwidth;

  const lastStage = pipelineStages - 1;
  const sendTokenSeconds = streamBytes / linkBandwidth;
  const setting = { model, shard, gpu, efficiency };
  const attentionSeconds = createAttentionTerm(setting);
  const samplingSeconds = createSamplingTerm(setting);

  return {
    modelSeconds(batch: BatchShape, stage: number): number {
      const tokens = batch.totalTokens;
      const seconds = fixedSeconds + tokens * tokenSeconds +
        smoothMax(weightSeconds, tokens * weightTokenSeconds) + attentionSeconds(batch);
      return seconds +
        (stage === lastStage
          ? samplingSeconds(batch.requestCount)
          : efficiency.linkSeconds + tokens * sendTokenSeconds);
    },
    overheadSeconds: () => efficiency.iterationSeconds,
    operationSeconds(batch: BatchShape, stage: number): OperationSeconds {
      const tokens = batch.totalTokens;
      const reduceSeconds = reduceCount *
        (efficiency.linkSeconds + tokens * reduceShare * streamBytes / linkBandwidth);
      const isLast = stage === lastStage;
      return {
        matmul: smoothMax(weightSeconds, tokens * weightTokenSeconds),
        attention: attentionSeconds(batch),
        elementwise: tokens * activationBytes / elementwiseBandwidth,
        communication: reduceSeconds +
          (isLast ? 0 : efficiency.linkSeconds + tokens * sendTokenSeconds),
        launch: layers * efficiency.layerSeconds,
        sampling: isLast ? samplingSeconds(batch.requestCount) : 0,
        cpu: efficiency.iterationSeconds,
      };
    },
  };
}

/**
 * Bytes that the operations between matrix products move per token and layer on one GPU: each norm
 * reads and writes the stream and the residual, the rotary embedding reads and writes queries and
 * keys, the activation reads what the MLP's first product wrote and writes its result.
 */
function elementwiseBytes(model: ModelSpec, tensorParallel: number, qHeads: number): number {
  const kvHeads = Math.ceil(model.kvHeads / tensorParallel);
  const norms = (model.postAttentionNorm ? 2 : 1) * 4 * model.embeddingDim;
  const rotary = 2 * (qHeads + kvHeads) * model.headDim;
  const activation = (model.gatedMlp ? 3 : 2) * model.mlpHiddenDim / tensorParallel;
  return BYTES_PER_NUMBER * (norms + rotary + activation);
}
