/**
 * How much KV cache fits beside the weights.
 *
 * @module
 */
import { BYTES_PER_NUMBER, type ModelShard } from "../hardware/mod.ts";

/** What the planners need to know of a replica. */
export interface MemoryPlanOptions {
  /** One GPU's share of the model. */
  readonly shard: ModelShard;
  /** Pipeline stages. */
  readonly pipelineStages: number;
  /** Memory of one GPU in bytes. */
  readonly gpuMemoryBytes: number;
  /** Share of it that stays free for activations and fragmentation. */
  readonly memoryMarginFraction: number;
  /** Tokens per KV block. */
  readonly blockSize: number;
}

/** Vidur's planner also wants the longest request. */
export interface VidurMemoryPlanOptions extends MemoryPlanOptions {
  /** Tokens that a request slot is sized for. */
  readonly maxTokensPerRequest: number;
}

/** Outcome of {@linkcode planVidurMemory}. */
export interface VidurMemoryPlan {
  /** Request slots of one pipeline stage: Vidur's `max_batch_size`, <= 0 when nothing fits. */
  readonly maxBatchSize: number;
  /** KV blocks of all slots of all stages. */
  readonly kvBlocks: number;
}

/**
 * KV blocks that fit on the fullest GPU of a replica:
 * `floor((memory (1 - margin) - weights) / (block size x bytes per token and layer x layers))`, all
 * for the layers of one stage; the weights include the embedding and the output matrix.
 *
 * Source: spec/simulator.md section 13 (the later planner of Vidur, without its omission of the
 * vocabulary).
 *
 * @returns Whole blocks, <= 0 when the weights leave no room.
 *
 * @example Llama-2-7b on an 80 GB GPU
 * ```ts
 * import { getModel, shardModel } from "@signalbox/signalbox/hardware";
 * import { planKvBlocks } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const blocks = planKvBlocks({
 *   shard: shardModel(getModel("meta-llama/Llama-2-7b-hf"), 1, 1),
 *   pipelineStages: 1,
 *   gpuMemoryBytes: 80 * 2 ** 30,
 *   memoryMarginFraction: 0.1,
 *   blockSize: 16,
 * });
 * assert.equal(blocks, 7609);
 * ```
 */
export function planKvBlocks(options: MemoryPlanOptions): number {
  const { shard, pipelineStages, blockSize } = options;
  const vocabularyMatrices = pipelineStages === 1 ? 2 : 1;
  const weightBytes = BYTES_PER_NUMBER *
    (layerParameters(shard) + vocabularyMatrices * shard.vocabularyParameters);
  const blockBytes = blockSize * shard.kvBytesPerTokenLayer * shard.layersPerStage;
  return Math.floor((availableBytes(options) - weightBytes) / blockBytes);
}

/**
 * Vidur's planner: whole request slots of the longest request, sized for *all* layers of the model
 * even when a GPU holds one stage of them, times the number of stages; no vocabulary.
 *
 * Source: spec/simulator.md section 3.
 */
export function planVidurMemory(options: VidurMemoryPlanOptions): VidurMemoryPlan {
  const { shard, pipelineStages, blockSize, maxTokensPerRequest } = options;
  const weightBytes = BYTES_PER_NUMBER * layerParameters(shard);
  const slotBytes = shard.kvBytesPerTokenLayer * maxTokensPerRequest * shard.layersPerStage *
    pipelineStages;
  const maxBatchSize = Math.floor((availableBytes(options) - weightBytes) / slotBytes);
  const blocksPerSlot = Math.floor(maxTokensPerRequest / blockSize);
  return { maxBatchSize, kvBlocks: blocksPerSlot * maxBatchSize * pipelineStages };
}

function layerParameters(shard: ModelShard): number {
  return (shard.attentionParameters + shard.mlpParameters) * shard.layersPerStage;
}

function availableBytes(options: MemoryPlanOptions): number {
  return options.gpuMemoryBytes * (1 - options.memoryMarginFraction);
}
