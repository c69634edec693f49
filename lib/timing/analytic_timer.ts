/**
 * Batch times from first principles: a roofline over a model's architecture and a GPU's peaks.
 *
 * @module
 */
import {
  BYTES_PER_NUMBER,
  type GpuSpec,
  type ModelShard,
  type ModelSpec,
  shardModel,
} from "../hardware/mod.ts";
import { communicationParts, cpuPart, onlyInStage, operationPart } from "./_operation_parts.ts";
import { createAttentionTerm, createSamplingTerm, linkCosts, smoothMax } from "./_roofline.ts";
import type { BatchShape, BatchTimer, OperationPart } from "./batch_timer.ts";
import { describeEfficiency, getGpuEfficiency, type GpuEfficiency } from "./gpu_efficiency.ts";

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
 *   where a mixture of experts multiplies the weights that a token passes, and reads those that all
 *   tokens pass and, of `e` experts of which a token chooses `k` evenly, `e (1 - (1 - k / e)^T)`,
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
 * (spec/simulator.md section 2), plus output matrix, sampling and CPU time, which Vidur leaves out;
 * embedding and last norm, which run once and not once a layer, are left out here too.
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

  const { experts } = model;
  const chosenParameters = (experts?.perToken ?? 0) * shard.expertParameters;
  const active = layers * (shard.attentionParameters + shard.activeMlpParameters);
  const shared = active - layers * chosenParameters;
  const weightSeconds = shared * BYTES_PER_NUMBER / matmulBandwidth;
  const weightTokenSeconds = 2 * active / matmulFlops;
  const expertSeconds = layers * (experts?.count ?? 0) * shard.expertParameters *
    BYTES_PER_NUMBER / matmulBandwidth;
  const missedShare = experts === undefined ? 1 : 1 - experts.perToken / experts.count;
  // Reading weights or multiplying: experts that no token of the batch chose are not read.
  const matmulSeconds = experts === undefined
    ? (tokens: number) => smoothMax(weightSeconds, tokens * weightTokenSeconds)
    : (tokens: number) =>
      smoothMax(
        weightSeconds + expertSeconds * (1 - missedShare ** tokens),
        tokens * weightTokenSeconds,
      );
  const bytes = elementwiseBytes(model, tensorParallel, shard.qHeads);
  const activationBytes = layers * (bytes.norms + bytes.rotary + bytes.activation);
  const setting = { model, shard, gpu, efficiency };
  const link = linkCosts(setting, tensorParallel);
  const fixedSeconds = layers * efficiency.layerSeconds + link.reduceSeconds;
  const tokenSeconds = activationBytes / elementwiseBandwidth + link.reduceTokenSeconds;

  const lastStage = pipelineStages - 1;
  const { sendSeconds, sendTokenSeconds } = link;
  const attention = createAttentionTerm(setting);
  const sampling = createSamplingTerm(setting);

  return {
    description: `analytic timer of ${model.name} on ${gpu.name}; ` +
      (options.efficiency ? "given coefficients" : describeEfficiency(gpu.name)),
    modelSeconds(batch: BatchShape, stage: number): number {
      const tokens = batch.totalTokens;
      const seconds = fixedSeconds + tokens * tokenSeconds +
        matmulSeconds(tokens) + attention.seconds(batch);
      return seconds +
        (stage === lastStage
          ? sampling.seconds(batch.requestCount)
          : sendSeconds + tokens * sendTokenSeconds);
    },
    overheadSeconds: () => efficiency.iterationSeconds,
    operationParts: () => [
      ...matmulParts(model, shard, matmulSeconds),
      ...attention.parts,
      ...elementwiseParts(bytes, model.postAttentionNorm, layers / elementwiseBandwidth),
      ...communicationParts(
        tensorParallel > 1
          ? (tokens) => link.reduceSeconds + tokens * link.reduceTokenSeconds
          : undefined,
        (tokens) => sendSeconds + tokens * sendTokenSeconds,
        pipelineStages,
      ),
      operationPart(["kernel_launch"], () => layers * efficiency.layerSeconds),
      ...sampling.parts.map((part) => onlyInStage(lastStage, part)),
      cpuPart(() => efficiency.iterationSeconds),
    ],
  };
}

/**
 * Matrix products by their weights: without experts, all of them read as many bytes and compute as
 * many operations per weight, so that the roofline's time divides like the weights. Experts break
 * that, and only the sum is known.
 */
function matmulParts(
  model: ModelSpec,
  shard: ModelShard,
  matmulSeconds: (tokens: number) => number,
): OperationPart[] {
  if (model.experts !== undefined) {
    return [operationPart(
      ["attn_pre_proj", "attn_post_proj", "mlp_up_proj", "mlp_down_proj"],
      ({ totalTokens }) => matmulSeconds(totalTokens),
    )];
  }
  const { attentionParameters, mlpParameters } = shard;
  const all = attentionParameters + mlpParameters;
  const post = model.embeddingDim * model.headDim * shard.qHeads;
  const down = mlpParameters / (model.gatedMlp ? 3 : 2);
  return ([
    ["attn_pre_proj", attentionParameters - post],
    ["attn_post_proj", post],
    ["mlp_up_proj", mlpParameters - down],
    ["mlp_down_proj", down],
  ] as const).map(([name, weights]) =>
    operationPart([name], ({ totalTokens }) => matmulSeconds(totalTokens) * weights / all)
  );
}

/** Bytes per token and layer on one GPU. */
interface ElementwiseBytes {
  readonly norms: number;
  readonly rotary: number;
  readonly activation: number;
}

/** Operations between matrix products; each norm also adds to the residual. */
function elementwiseParts(
  { norms, rotary, activation }: ElementwiseBytes,
  hasTwoNorms: boolean,
  byteSeconds: number,
): OperationPart[] {
  const taking = (bytes: number): OperationPart["seconds"] => ({ totalTokens }) =>
    totalTokens * bytes * byteSeconds;
  return [
    operationPart(["input_layernorm", "add"], taking(hasTwoNorms ? norms / 2 : norms)),
    operationPart(["attn_rope"], taking(rotary)),
    ...(hasTwoNorms ? [operationPart(["post_attention_layernorm", "add"], taking(norms / 2))] : []),
    operationPart(["mlp_activation"], taking(activation)),
  ];
}

/**
 * Bytes that the operations between matrix products move per token and layer on one GPU: each norm
 * reads and writes the stream and the residual, the rotary embedding reads and writes queries and
 * keys, the activation reads what the MLP's first product wrote and writes its result.
 */
function elementwiseBytes(
  model: ModelSpec,
  tensorParallel: number,
  qHeads: number,
): ElementwiseBytes {
  const kvHeads = Math.ceil(model.kvHeads / tensorParallel);
  const norms = (model.postAttentionNorm ? 2 : 1) * 4 * model.embeddingDim;
  const rotary = 2 * (qHeads + kvHeads) * model.headDim;
  const { experts } = model;
  const hiddenDim = model.mlpHiddenDim + (experts ? experts.perToken * experts.hiddenDim : 0);
  const activation = (model.gatedMlp ? 3 : 2) * hiddenDim / tensorParallel;
  return {
    norms: BYTES_PER_NUMBER * norms,
    rotary: BYTES_PER_NUMBER * rotary,
    activation: BYTES_PER_NUMBER * activation,
  };
}
