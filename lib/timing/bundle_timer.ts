/**
 * Batch times interpolated from an LLMServingSim profile.
 *
 * @module
 */
import { mergeChunks } from "./_merge_chunks.ts";
import type { BatchShape, BatchTimer, OperationSeconds } from "./batch_timer.ts";
import type { ServingBundle } from "./serving_bundle.ts";

/** What a bundle does not say. */
export interface BundleTimerOptions {
  /** Layers of the model. */
  readonly layers: number;
  /** Seconds of CPU work per iteration that the GPU waits for. Default 0. */
  readonly iterationSeconds?: number;
  /** Whether decodes of unequal context take longer than equal ones, if measured. Default true. */
  readonly useSkew?: boolean;
}

/**
 * Creates a timer of one model on one GPU, all layers in one stage, from measured tables.
 *
 * Several prompt chunks `c_i` with contexts `n_i` are looked up as one of `C = sum c_i` tokens with
 * the context that gives the same number of query-key pairs, `sum c_i (n_i + c_i / 2) / C - C / 2`,
 * or, where that is negative, as one without context of `sqrt(2 pairs)` tokens. Decodes are looked
 * up at their mean and at their longest context, weighted by the bundle's share of skew.
 *
 * Source: the look-up of LLMServingSim (KAIST CASYS), documentation "Trace generation".
 */
export function createBundleTimer(bundle: ServingBundle, options: BundleTimerOptions): BatchTimer {
  const { layers, iterationSeconds = 0, useSkew = true } = options;

  function attentionSeconds(batch: BatchShape): number {
    const { chunkTokens: chunk, contextTokens: context } = mergeChunks(batch);
    const decodes = batch.decodeCount;
    if (decodes === 0) return bundle.attentionSeconds(chunk, context, 0, 0);
    const meanContext = batch.decodeContextTokens / decodes;
    const atMean = bundle.attentionSeconds(chunk, context, decodes, meanContext);
    const toLongest = useSkew ? bundle.skewShare(decodes, chunk > 0) : 0;
    if (toLongest === 0) return atMean;
    const atLongest = bundle.attentionSeconds(
      chunk,
      context,
      decodes,
      batch.maxDecodeContextTokens,
    );
    return (1 - toLongest) * atMean + toLongest * atLongest;
  }

  return {
    modelSeconds(batch: BatchShape): number {
      const tokens = batch.totalTokens;
      return layers * (bundle.layerSeconds(tokens) + attentionSeconds(batch)) +
        bundle.endSeconds(tokens) + bundle.samplingSeconds(batch.requestCount);
    },
    overheadSeconds: () => iterationSeconds,
    operationSeconds(batch: BatchShape): OperationSeconds {
      const tokens = batch.totalTokens;
      const layer = layers * bundle.layerSeconds(tokens);
      const matmul = layer * bundle.matmulShare(tokens);
      return {
        matmul,
        attention: layers * attentionSeconds(batch),
        elementwise: layer - matmul + bundle.endSeconds(tokens),
        communication: 0,
        launch: 0,
        sampling: bundle.samplingSeconds(batch.requestCount),
        cpu: iterationSeconds,
      };
    },
  };
}
