/**
 * Batch times interpolated from an LLMServingSim profile.
 *
 * @module
 */
import { NO_SKEW, skewShare } from "./_skew_shares.ts";
import type { BatchShape, BatchTimer } from "./batch_timer.ts";
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
  const { layer, ends, sampling, attention } = bundle;
  const skew = useSkew ? bundle.skew : NO_SKEW;

  function attentionSeconds(batch: BatchShape): number {
    let chunk = 0;
    let pairs = 0;
    for (let i = 0; i < batch.prefillCount; i++) {
      const tokens = batch.prefillChunkTokens[i]!;
      chunk += tokens;
      pairs += tokens * (batch.prefillContextTokens[i]! + tokens / 2);
    }
    let context = chunk > 0 ? pairs / chunk - chunk / 2 : 0;
    if (context < 0) {
      context = 0;
      chunk = Math.sqrt(2 * pairs);
    }
    const decodes = batch.decodeCount;
    if (decodes === 0) return attention.at(chunk, context, 0, 0);
    const meanContext = batch.decodeContextTokens / decodes;
    const atMean = attention.at(chunk, context, decodes, meanContext);
    const toLongest = skewShare(skew, decodes, chunk > 0);
    if (toLongest === 0) return atMean;
    const atLongest = attention.at(chunk, context, decodes, batch.maxDecodeContextTokens);
    return (1 - toLongest) * atMean + toLongest * atLongest;
  }

  return {
    modelSeconds(batch: BatchShape): number {
      const tokens = batch.totalTokens;
      return layers * (layer.at(tokens) + attentionSeconds(batch)) + ends.at(tokens) +
        sampling.at(batch.requestCount);
    },
    overheadSeconds: () => iterationSeconds,
  };
}
