/**
 * What one GPU holds of a model that is split over several.
 *
 * @module
 */
import { ConfigError } from "../support/mod.ts";
import type { ModelSpec } from "./model_spec.ts";

/** Bytes of one weight, activation or cached key/value number (16-bit formats). */
export const BYTES_PER_NUMBER = 2;

/** One GPU's share of a model under tensor parallelism (within layers) and pipeline stages. */
export interface ModelShard {
  /** Layers of one pipeline stage. */
  readonly layersPerStage: number;
  /** Query heads on one GPU. */
  readonly qHeads: number;
  /** Key/value heads on one GPU, at least 1: fewer heads than GPUs are replicated. */
  readonly kvHeads: number;
  /** Weights of the attention projections of one layer on one GPU. */
  readonly attentionParameters: number;
  /** Weights of the MLP and of all experts of one layer on one GPU. */
  readonly mlpParameters: number;
  /** Those of them that one token passes; as many without experts. */
  readonly activeMlpParameters: number;
  /** Weights of one expert of one layer on one GPU; 0 without experts. */
  readonly expertParameters: number;
  /** Weights of the output matrix on one GPU. */
  readonly vocabularyParameters: number;
  /** Bytes that one token occupies in the KV cache of one layer on one GPU. */
  readonly kvBytesPerTokenLayer: number;
}

/**
 * Splits a model over `tensorParallel` x `pipelineStages` GPUs.
 *
 * Weights per layer: `E d (q + 2 kv) + E d q + floor(m E h / tp)` with `m` 3 for a gated MLP, else
 * 2. Source: spec/simulator.md sections 2 and 3 (Vidur's memory planner), without biases and norms.
 * Each expert is split like an MLP, and the matrix that chooses them (`E` times their number) is on
 * every GPU.
 *
 * @param model The whole model.
 * @param tensorParallel GPUs that share each layer; divides the heads and the width.
 * @param pipelineStages Stages that share the layers; divides their number.
 * @throws {ConfigError} When the model cannot be split so.
 *
 * @example The KV cache of Llama-2-7b takes 16 KiB per token and layer
 * ```ts
 * import { getModel, shardModel } from "@signalbox/signalbox/hardware";
 * import assert from "node:assert/strict";
 *
 * const shard = shardModel(getModel("meta-llama/Llama-2-7b-hf"), 1, 1);
 * assert.equal(shard.kvBytesPerTokenLayer, 16384);
 * ```
 */
export function shardModel(
  model: ModelSpec,
  tensorParallel: number,
  pipelineStages: number,
): ModelShard {
  checkDivisor("tensorParallel", tensorParallel, "query heads", model.qHeads);
  checkDivisor("tensorParallel", tensorParallel, "embedding width", model.embeddingDim);
  checkDivisor("pipelineStages", pipelineStages, "layers", model.layers);
  if (tensorParallel > 1 && !model.tensorParallel) {
    throw new ConfigError("tensorParallel", tensorParallel, `1 for ${model.name}`);
  }
  const qHeads = model.qHeads / tensorParallel;
  const kvHeads = Math.ceil(model.kvHeads / tensorParallel);
  const { embeddingDim, headDim, mlpHiddenDim, experts } = model;
  const matrices = model.gatedMlp ? 3 : 2;
  const weights = (hiddenDim: number): number =>
    Math.floor((matrices * embeddingDim * hiddenDim) / tensorParallel);
  const expertParameters = weights(experts?.hiddenDim ?? 0);
  const shared = weights(mlpHiddenDim) + embeddingDim * (experts?.count ?? 0);
  return {
    layersPerStage: model.layers / pipelineStages,
    qHeads,
    kvHeads,
    attentionParameters: embeddingDim * headDim * (2 * qHeads + 2 * kvHeads),
    mlpParameters: shared + (experts?.count ?? 0) * expertParameters,
    activeMlpParameters: shared + (experts?.perToken ?? 0) * expertParameters,
    expertParameters,
    vocabularyParameters: Math.ceil(model.vocabSize / tensorParallel) * embeddingDim,
    kvBytesPerTokenLayer: 2 * BYTES_PER_NUMBER * kvHeads * headDim,
  };
}

/** Refuses a degree of parallelism that does not divide what it splits. */
function checkDivisor(field: string, degree: number, what: string, size: number): void {
  if (!Number.isInteger(degree) || degree < 1 || size % degree !== 0) {
    throw new ConfigError(field, degree, `a positive divisor of the ${size} ${what}`);
  }
}
