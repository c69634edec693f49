/**
 * Several prompt chunks as one.
 *
 * @module
 */
import type { BatchShape } from "./batch_timer.ts";

/** A prompt chunk. */
export interface Chunk {
  /** Tokens computed. */
  readonly chunkTokens: number;
  /** Tokens cached before them. */
  readonly contextTokens: number;
}

/**
 * The chunk that stands for all of a batch: of `C = sum c_i` tokens with the context that gives the
 * same number of query-key pairs, `sum c_i (n_i + c_i / 2) / C - C / 2`, or, where that is negative,
 * of `sqrt(2 pairs)` tokens without context. A single chunk stays what it is.
 *
 * Source: the query-weighted key length of LLMServingSim (documentation "Output bundle"); the root of
 * squares of Vidur (spec/simulator.md section 8.3) is its case without contexts.
 */
export function mergeChunks(batch: BatchShape): Chunk {
  if (batch.prefillCount === 1) {
    return {
      chunkTokens: batch.prefillChunkTokens[0]!,
      contextTokens: batch.prefillContextTokens[0]!,
    };
  }
  let chunkTokens = 0;
  let pairs = 0;
  for (let i = 0; i < batch.prefillCount; i++) {
    const tokens = batch.prefillChunkTokens[i]!;
    chunkTokens += tokens;
    pairs += tokens * (batch.prefillContextTokens[i]! + tokens / 2);
  }
  if (chunkTokens === 0) return { chunkTokens: 0, contextTokens: 0 };
  const contextTokens = pairs / chunkTokens - chunkTokens / 2;
  if (contextTokens >= 0) return { chunkTokens, contextTokens };
  return { chunkTokens: Math.sqrt(2 * pairs), contextTokens: 0 };
}
