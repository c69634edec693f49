/**
 * The arithmetic that a batch needs.
 *
 * @module
 */
import type { GpuSpec, ModelShard, ModelSpec } from "../hardware/mod.ts";
import type { BatchShape } from "../timing/mod.ts";

/** What one GPU of one pipeline stage has to compute, and how fast it could. */
export interface StageFlops {
  /** Operations of a token in the matrix products of the stage's layers. */
  readonly perToken: number;
  /** Operations of one pair of query and key in the attention of the stage's layers. */
  readonly perPair: number;
  /** Dense 16-bit peak of the GPU, in FLOP/s. */
  readonly peakPerSecond: number;
}

/**
 * Operations of one GPU's share of a stage: `2 parameters` a token, `4 layers heads headDim` a pair.
 * Embedding and output matrix do not count.
 *
 * Source: spec/simulator.md section 10 (Vidur's MFU), with the GPU's peak in units of 10^12 FLOP/s
 * where Vidur multiplies by 2^40.
 */
export function countStageFlops(model: ModelSpec, shard: ModelShard, gpu: GpuSpec): StageFlops {
  const { layersPerStage, attentionParameters, activeMlpParameters, qHeads } = shard;
  return {
    perToken: 2 * layersPerStage * (attentionParameters + activeMlpParameters),
    perPair: 4 * layersPerStage * qHeads * model.headDim,
    peakPerSecond: gpu.fp16FlopsPerSecond,
  };
}

/**
 * Operations that a batch needs on one GPU of a stage. A request that computes `c` tokens after `n`
 * counts `c (n + c)` pairs: the masked half of a prompt's own pairs is counted, as is usual for MFU.
 *
 * @example
 * ```ts
 * import { batchFlops } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const flops = batchFlops({ perToken: 1000, perPair: 1, peakPerSecond: 1e12 }, {
 *   requestCount: 2,
 *   totalTokens: 11,
 *   decodeCount: 1,
 *   decodeContextTokens: 30,
 *   maxDecodeContextTokens: 30,
 *   prefillCount: 1,
 *   prefillContextTokens: [5],
 *   prefillChunkTokens: [10],
 * });
 * assert.equal(flops, 11 * 1000 + 10 * (5 + 10) + (30 + 1));
 * ```
 */
export function batchFlops(stage: StageFlops, batch: BatchShape): number {
  let pairs = batch.decodeContextTokens + batch.decodeCount;
  for (let i = 0; i < batch.prefillCount; i++) {
    const chunk = batch.prefillChunkTokens[i]!;
    pairs += chunk * (batch.prefillContextTokens[i]! + chunk);
  }
  return stage.perToken * batch.totalTokens + stage.perPair * pairs;
}
