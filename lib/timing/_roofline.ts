/**
 * Terms of the analytic timer that other timers need where they have no measurements.
 *
 * @module
 */
import {
  BYTES_PER_NUMBER,
  type GpuSpec,
  type ModelShard,
  type ModelSpec,
} from "../hardware/mod.ts";
import { type AttentionTerm, operationPart, separateAttentionParts } from "./_operation_parts.ts";
import type { BatchShape, OperationPart } from "./batch_timer.ts";
import type { GpuEfficiency } from "./gpu_efficiency.ts";

/** One GPU's work, what it can do and what share of that it reaches. */
export interface RooflineSetting {
  /** The whole model. */
  readonly model: ModelSpec;
  /** What one GPU holds of it. */
  readonly shard: ModelShard;
  /** The GPU. */
  readonly gpu: GpuSpec;
  /** Shares of its peaks. */
  readonly efficiency: GpuEfficiency;
}

/** `max(a, b)` for `a, b >= 0` without the kink: at most 41 % above it, where both are equal. */
export function smoothMax(a: number, b: number): number {
  return Math.sqrt(a * a + b * b);
}

/** What a batch spends in the attention of the layers of one stage. */
export function createAttentionTerm(setting: RooflineSetting): AttentionTerm {
  const { model, shard, gpu, efficiency } = setting;
  const layers = shard.layersPerStage;
  const pairSeconds = 4 * layers * shard.qHeads * model.headDim /
    (gpu.fp16FlopsPerSecond * efficiency.prefillCompute);
  const contextSeconds = layers * efficiency.prefillContextSeconds;
  const decodeTokenSeconds = layers * shard.kvBytesPerTokenLayer /
    (gpu.memoryBandwidthBytesPerSecond * efficiency.decodeMemory);
  const { prefillMaskedShare, mixedDecodeCost } = efficiency;
  const prefillSeconds = (batch: BatchShape): number => {
    if (batch.prefillCount === 0) return 0;
    let pairs = 0;
    let longest = 0;
    for (let i = 0; i < batch.prefillCount; i++) {
      const context = batch.prefillContextTokens[i]!;
      const chunk = batch.prefillChunkTokens[i]!;
      pairs += chunk * (context + (chunk + 1) / 2 + prefillMaskedShare * (chunk - 1) / 2);
      if (context + chunk > longest) longest = context + chunk;
    }
    return smoothMax(pairs * pairSeconds, longest * contextSeconds);
  };
  const decodeSeconds = (batch: BatchShape): number => {
    if (batch.decodeCount === 0) return 0;
    const cost = batch.prefillCount > 0 ? mixedDecodeCost : 1;
    return cost * decodeTokenSeconds * (batch.decodeContextTokens + batch.decodeCount);
  };
  return {
    seconds: (batch) => prefillSeconds(batch) + decodeSeconds(batch),
    parts: separateAttentionParts(prefillSeconds, decodeSeconds),
  };
}

/** Bytes that sampling moves per logit: one 32-bit read and write for the softmax. */
const LOGIT_BYTES = 8;

/** The end of an iteration, and its parts. */
export interface SamplingTerm {
  /** Seconds of the output matrix and of sampling, by sequences. */
  seconds(sequences: number): number;
  /** What is known of them, as if every stage had them. */
  readonly parts: readonly OperationPart[];
}

/** What a batch spends in the output matrix and in sampling. */
export function createSamplingTerm(setting: RooflineSetting): SamplingTerm {
  const { model, shard, gpu, efficiency } = setting;
  const bandwidth = gpu.memoryBandwidthBytesPerSecond;
  const weights = shard.vocabularyParameters;
  const weightSeconds = weights * BYTES_PER_NUMBER / (bandwidth * efficiency.matmulMemory);
  const logitsSeconds = 2 * weights / (gpu.fp16FlopsPerSecond * efficiency.matmulCompute);
  const samplingSeconds = LOGIT_BYTES * model.vocabSize /
    (bandwidth * efficiency.elementwiseMemory);
  const outputSeconds = (sequences: number): number =>
    smoothMax(weightSeconds, sequences * logitsSeconds);
  return {
    seconds: (sequences) => outputSeconds(sequences) + sequences * samplingSeconds,
    parts: [
      operationPart(["lm_head"], ({ requestCount }) => outputSeconds(requestCount)),
      operationPart(["sampler"], ({ requestCount }) => requestCount * samplingSeconds),
    ],
  };
}

/** Seconds that GPUs spend talking to each other: fixed, and per token of the batch. */
export interface LinkCosts {
  /** All-reduces of a stage's layers, two a layer; 0 on a single GPU. */
  readonly reduceSeconds: number;
  /** 〃 for each token. */
  readonly reduceTokenSeconds: number;
  /** Transfer of the activations to the next stage. */
  readonly sendSeconds: number;
  /** 〃 for each token. */
  readonly sendTokenSeconds: number;
}

/**
 * Costs of collectives: a ring all-reduce over `g` GPUs moves `2 (g - 1) / g` times the activations
 * over every link, a transfer to the next stage once.
 */
export function linkCosts(setting: RooflineSetting, tensorParallel: number): LinkCosts {
  const { model, shard, gpu, efficiency } = setting;
  const linkBandwidth = gpu.linkBandwidthBytesPerSecond * efficiency.linkBandwidth;
  const sendTokenSeconds = model.embeddingDim * BYTES_PER_NUMBER / linkBandwidth;
  const reduceCount = tensorParallel > 1 ? 2 * shard.layersPerStage : 0;
  const reduceShare = 2 * (tensorParallel - 1) / tensorParallel;
  return {
    reduceSeconds: reduceCount * efficiency.linkSeconds,
    reduceTokenSeconds: reduceCount * reduceShare * sendTokenSeconds,
    sendSeconds: efficiency.linkSeconds,
    sendTokenSeconds,
  };
}
