/**
 * Batch times interpolated from an LLMServingSim profile.
 *
 * @module
 */
import { type GpuSpec, type ModelSpec, shardModel } from "../hardware/mod.ts";
import { mergeChunks } from "./_merge_chunks.ts";
import {
  communicationParts,
  cpuPart,
  jointAttentionPart,
  measuredPart,
  stretchParts,
} from "./_operation_parts.ts";
import { linkCosts } from "./_roofline.ts";
import type { BatchShape, BatchTimer, OperationPart } from "./batch_timer.ts";
import { getGpuEfficiency } from "./gpu_efficiency.ts";
import type { ServingBundle } from "./serving_bundle.ts";

/** What a bundle does not say. */
export interface BundleTimerOptions {
  /** Layers of the model. */
  readonly layers: number;
  /** Seconds of CPU work per iteration that the GPU waits for. Default 0. */
  readonly iterationSeconds?: number;
  /** Whether decodes of unequal context take longer than equal ones, if measured. Default true. */
  readonly useSkew?: boolean;
  /** GPUs that share each layer; left out, as many as the bundle was measured with, at no cost. */
  readonly parallel?: BundleParallelism;
}

/** Tensor parallelism, which a bundle's tables know one GPU's share of. */
export interface BundleParallelism {
  /** GPUs that share each layer. */
  readonly degree: number;
  /** The model: how much the GPUs have to tell each other. */
  readonly model: ModelSpec;
  /** The kind of GPU: how fast they do. */
  readonly gpu: GpuSpec;
}

/**
 * Creates a timer of one model on one GPU, all layers in one stage, from measured tables.
 *
 * Several prompt chunks `c_i` with contexts `n_i` are looked up as one of `C = sum c_i` tokens with
 * the context that gives the same number of query-key pairs, `sum c_i (n_i + c_i / 2) / C - C / 2`,
 * or, where that is negative, as one without context of `sqrt(2 pairs)` tokens. Decodes are looked
 * up at their mean and at their longest context, weighted by the bundle's share of skew.
 *
 * With several GPUs a layer, two all-reduces a layer are added, of the analytic timer's latency and
 * bandwidth for the GPU, and tables of another degree than asked for are scaled by the ratio of the
 * degrees: right for matrix products and attention, whose bytes and operations are divided, too
 * little for norms and launches, which are not.
 *
 * Source: the look-up of LLMServingSim (KAIST CASYS), documentation "Trace generation".
 *
 * @throws {ConfigError} When the model cannot be split so, or the GPU has no fitted efficiencies.
 */
export function createBundleTimer(bundle: ServingBundle, options: BundleTimerOptions): BatchTimer {
  const { layers, iterationSeconds = 0, useSkew = true, parallel } = options;
  const part = bundle.tensorParallel / (parallel?.degree ?? bundle.tensorParallel);
  const reduceSeconds = createReduceTerm(parallel);

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
      return part * layers * (bundle.layerSeconds(tokens) + attentionSeconds(batch)) +
        bundle.endSeconds(tokens) + part * bundle.samplingSeconds(batch.requestCount) +
        (reduceSeconds?.(tokens) ?? 0);
    },
    overheadSeconds: () => iterationSeconds,
    operationParts: () => [
      ...measured(
        bundle.operations.layer,
        "totalTokens",
        (tokens) => part * layers * bundle.layerSeconds(tokens),
      ),
      jointAttentionPart((batch) => part * layers * attentionSeconds(batch)),
      ...measured(bundle.operations.ends, "totalTokens", bundle.endSeconds),
      ...communicationParts(reduceSeconds, undefined, 1),
      ...measured(
        bundle.operations.sampling,
        "requestCount",
        (sequences) => part * bundle.samplingSeconds(sequences),
      ),
      cpuPart(() => iterationSeconds),
    ],
  };
}

/** Operations that were measured over a count of a batch, with their sum. */
function measured(
  operations: ServingBundle["operations"]["layer"],
  count: "totalTokens" | "requestCount",
  totalSeconds: (count: number) => number,
): OperationPart[] {
  const parts = [...operations].map(([name, seconds]) =>
    measuredPart(name, (batch) => seconds(batch[count]))
  );
  return stretchParts(parts, (batch) => totalSeconds(batch[count]));
}

/** Seconds of a batch's all-reduces, by tokens; `undefined` where there are none. */
function createReduceTerm(
  parallel: BundleParallelism | undefined,
): ((tokens: number) => number) | undefined {
  if (parallel === undefined || parallel.degree === 1) return undefined;
  const { degree, model, gpu } = parallel;
  const setting = { model, gpu, shard: shardModel(model, degree, 1) };
  const link = linkCosts({ ...setting, efficiency: getGpuEfficiency(gpu.name) }, degree);
  return (tokens) => link.reduceSeconds + tokens * link.reduceTokenSeconds;
}
