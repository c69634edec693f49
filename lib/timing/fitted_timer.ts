/**
 * Batch times from a fitted profile.
 *
 * @module
 */
import { type GpuSpec, type ModelSpec, shardModel } from "../hardware/mod.ts";
import { ConfigError } from "../support/mod.ts";
import { AttentionGrid, type AttentionPoint } from "./_attention_grid.ts";
import { Curve } from "./_curve.ts";
import { mergeChunks } from "./_merge_chunks.ts";
import {
  type AttentionTerm,
  communicationParts,
  cpuPart,
  createSeparateAttention,
  jointAttentionPart,
  measuredOperations,
  onlyInStage,
  operationPart,
  stretchParts,
} from "./_operation_parts.ts";
import {
  createAttentionTerm,
  createSamplingTerm,
  linkCosts,
  type RooflineSetting,
  type SamplingTerm,
} from "./_roofline.ts";
import { interpolateShares, NO_SKEW, skewShare } from "./_skew_shares.ts";
import { Surface, type SurfacePoint } from "./_surface.ts";
import type { BatchShape, BatchTimer, OperationPart } from "./batch_timer.ts";
import { getGpuEfficiency, type GpuEfficiency } from "./gpu_efficiency.ts";
import type { ProfileCurve, ProfileDegree, TimingProfile } from "./profile_schema.ts";

/** What {@linkcode createFittedTimer} times. */
export interface FittedTimerOptions {
  /** The profiled model. */
  readonly model: ModelSpec;
  /** The profiled GPU: its peaks stand in for what the profile lacks. */
  readonly gpu: GpuSpec;
  /** A profiled degree of tensor parallelism. */
  readonly tensorParallel: number;
  /** Pipeline stages that share the layers. */
  readonly pipelineStages: number;
  /** Coefficients for what the profile lacks; the fitted ones of `gpu` by default. */
  readonly efficiency?: GpuEfficiency;
}

const MICROSECOND = 1e-6;

/**
 * Creates a timer from a profile's fitted curves. What the profile lacks is computed as the analytic
 * timer does; the file says what that is.
 *
 * Curves are linear between knots, constant below the first, and beyond the last continue the line
 * through the last point and the one at half its count. Attention is multilinear between knots and
 * continues at the mean slope of its last stretch, up to 64 times the last knot, where it stays. All
 * are non-decreasing: so is the time of a batch in its tokens, in the contexts of its decodes, and
 * in the chunk and the context of a single prompt.
 *
 * Several prompt chunks `c_i` with contexts `n_i` are looked up as one of `C = sum c_i` tokens with
 * the context that gives the same number of query-key pairs, `sum c_i (n_i + c_i / 2) / C - C / 2`,
 * or, where that is negative, as one without context of `sqrt(2 pairs)` tokens; decodes at their
 * mean context, and at their longest where the profile says how much that counts.
 *
 * @throws {ConfigError} When the profile has no such degree of tensor parallelism, or the model
 *   cannot be split so.
 *
 * @example A shipped profile
 * ```ts
 * import { getGpu, getModel } from "@signalbox/signalbox/hardware";
 * import { createFittedTimer, loadShippedProfile } from "@signalbox/signalbox/timing";
 * import assert from "node:assert/strict";
 *
 * const [gpu, model] = [getGpu("a100"), getModel("meta-llama/Llama-2-7b-hf")];
 * const timer = createFittedTimer(loadShippedProfile(gpu.name, model.name)!, {
 *   gpu,
 *   model,
 *   tensorParallel: 1,
 *   pipelineStages: 1,
 * });
 * const seconds = timer.modelSeconds({
 *   requestCount: 1,
 *   totalTokens: 1,
 *   decodeCount: 1,
 *   decodeContextTokens: 100,
 *   maxDecodeContextTokens: 100,
 *   prefillCount: 0,
 *   prefillContextTokens: [],
 *   prefillChunkTokens: [],
 * }, 0);
 * // Reading 13.5 GB of weights at 2 TB/s takes 6.6 ms.
 * assert.ok(seconds > 0.0066 && seconds < 0.012);
 * ```
 */
export function createFittedTimer(
  profile: TimingProfile,
  options: FittedTimerOptions,
): BatchTimer {
  const { model, gpu, tensorParallel, pipelineStages } = options;
  const degree = profile.degrees.find((each) => each.tensorParallel === tensorParallel);
  if (degree === undefined) {
    const degrees = profile.degrees.map((each) => each.tensorParallel).join(", ");
    throw new ConfigError(
      "tensorParallel",
      tensorParallel,
      `one of ${degrees}, which the profile of ${profile.model} on ${profile.gpu} has`,
    );
  }
  const efficiency = options.efficiency ?? getGpuEfficiency(gpu.name);
  const shard = shardModel(model, tensorParallel, pipelineStages);
  const setting = { model, gpu, shard, efficiency };
  const layers = shard.layersPerStage;
  const ofKind = (kind: LayerKind): [string, ProfileCurve][] =>
    Object.entries(degree.layer).filter(([, each]) => each.kind === kind);
  const matmul = sumCurves(ofKind("matmul"), layers);
  const elementwise = sumCurves(ofKind("elementwise"), layers);
  const layerParts = (kind: LayerKind, sum: Curve): OperationPart[] =>
    stretchParts(
      ofKind(kind).map(([name, points]) => {
        const curve = toCurve(points)!;
        const seconds = ({ totalTokens }: BatchShape): number => curve.at(totalTokens);
        return { operations: measuredOperations(name), kind, seconds };
      }),
      ({ totalTokens }) => sum.at(totalTokens),
    );
  const ends = { embedding: toCurve(degree.embedding), finalNorm: toCurve(degree.finalNorm) };
  const sampling = createSampling(degree, setting);
  const attention = createAttention(degree, setting);
  const link = linkCosts(setting, tensorParallel);
  const reduce = tensorParallel > 1 ? toCurve(degree.allReduce) : undefined;
  const reduceSeconds = reduce
    ? (tokens: number) => 2 * layers * reduce.at(tokens)
    : (tokens: number) => link.reduceSeconds + tokens * link.reduceTokenSeconds;
  const send = toCurve(degree.sendRecv);
  const sendSeconds = send
    ? (tokens: number) => send.at(tokens)
    : (tokens: number) => link.sendSeconds + tokens * link.sendTokenSeconds;
  const cpu = toCurve(degree.cpu);
  const lastStage = pipelineStages - 1;
  const endSeconds = (tokens: number, stage: number): number =>
    (stage === 0 ? ends.embedding?.at(tokens) ?? 0 : 0) +
    (stage === lastStage ? ends.finalNorm?.at(tokens) ?? 0 : 0);
  const overheadSeconds = (batch: BatchShape): number =>
    cpu?.at(batch.requestCount) ?? efficiency.iterationSeconds;

  return {
    description: describeDegree(profile, degree),
    modelSeconds(batch: BatchShape, stage: number): number {
      const tokens = batch.totalTokens;
      return matmul.at(tokens) + elementwise.at(tokens) + attention.seconds(batch) +
        reduceSeconds(tokens) +
        endSeconds(tokens, stage) +
        (stage === lastStage ? sampling.seconds(batch.requestCount) : sendSeconds(tokens));
    },
    overheadSeconds,
    operationParts: () => [
      ...layerParts("matmul", matmul),
      ...layerParts("elementwise", elementwise),
      ...attention.parts,
      ...endPart("embedding", ends.embedding, 0),
      ...endPart("final_layernorm", ends.finalNorm, lastStage),
      ...communicationParts(
        tensorParallel > 1 ? reduceSeconds : undefined,
        sendSeconds,
        pipelineStages,
      ),
      ...sampling.parts.map((part) => onlyInStage(lastStage, part)),
      cpuPart(overheadSeconds),
    ],
  };
}

/** One line about a profile and its stated errors. */
function describeDegree({ gpu, model }: TimingProfile, degree: ProfileDegree): string {
  const percent = ({ median, p90 }: { median: number; p90: number }): string =>
    `${(100 * median).toFixed(1)} % (p90 ${(100 * p90).toFixed(1)} %)`;
  const { attention } = degree;
  const errors = attention.kind === "analytic"
    ? "analytic"
    : attention.kind === "joint"
    ? percent(attention.error)
    : `${percent(attention.prefill.error)} for prompts, ${
      percent(attention.decode.error)
    } for decodes`;
  return `profile of ${model} on ${gpu}, tensorParallel ${degree.tensorParallel}; median error ` +
    `of a layer ${percent(degree.layerError)}, attention ${errors}`;
}

function toCurve(curve: ProfileCurve | undefined): Curve | undefined {
  return curve && new Curve(curve.counts.map((count, k) => ({
    count,
    seconds: curve.microseconds[k]! * MICROSECOND,
  })));
}

/** An operation that one stage has, if it was profiled. */
function endPart(
  name: "embedding" | "final_layernorm",
  curve: Curve | undefined,
  stage: number,
): OperationPart[] {
  if (curve === undefined) return [];
  const seconds = ({ totalTokens }: BatchShape): number => curve.at(totalTokens);
  return [onlyInStage(stage, operationPart([name], seconds))];
}

type LayerKind = ProfileDegree["layer"][string]["kind"];

/** Sum of named curves, times a factor, as one. */
function sumCurves(curves: readonly [string, ProfileCurve][], factor: number): Curve {
  const parts = curves.map(([, curve]) => toCurve(curve)!);
  const counts = new Set(curves.flatMap(([, curve]) => curve.counts));
  return new Curve([...counts, 1].map((count) => ({
    count,
    seconds: factor * parts.reduce((sum, part) => sum + part.at(Math.floor(count)), 0),
  })));
}

/** Output matrix and sampler, which profiles know in sum. */
function createSampling({ sampling }: ProfileDegree, setting: RooflineSetting): SamplingTerm {
  const curve = toCurve(sampling);
  if (curve === undefined) return createSamplingTerm(setting);
  return {
    seconds: (sequences) => curve.at(sequences),
    parts: [operationPart(["lm_head", "sampler"], (batch) => curve.at(batch.requestCount))],
  };
}

/** Attention of all layers of a stage. */
function createAttention(
  { attention }: ProfileDegree,
  setting: RooflineSetting,
): AttentionTerm {
  const layers = setting.shard.layersPerStage;
  if (attention.kind === "analytic") return createAttentionTerm(setting);
  if (attention.kind === "separate") {
    const prefill = new Surface(surfacePoints(attention.prefill));
    const decode = new Surface(surfacePoints(attention.decode));
    return createSeparateAttention(
      layers,
      (contextTokens, chunkTokens) => prefill.at(chunkTokens, contextTokens),
      (decodeCount, contextTokens) => decode.at(decodeCount, contextTokens),
    );
  }
  const grid = new AttentionGrid(gridPoints(attention));
  const { skew } = attention;
  const shares = skew === undefined ? NO_SKEW : {
    alone: interpolateShares(skew.decodeCounts, skew.alone),
    mixed: interpolateShares(skew.decodeCounts, skew.mixed),
  };
  const seconds = (batch: BatchShape): number => {
    const { decodeCount: decodes } = batch;
    const { chunkTokens: chunk, contextTokens: context } = mergeChunks(batch);
    if (decodes === 0) return layers * grid.at(chunk, context, 0, 0);
    const atMean = grid.at(chunk, context, decodes, batch.decodeContextTokens / decodes);
    const share = skewShare(shares, decodes, chunk > 0);
    if (share === 0) return layers * atMean;
    const atLongest = grid.at(chunk, context, decodes, batch.maxDecodeContextTokens);
    return layers * (atMean + share * (atLongest - atMean));
  };
  return { seconds, parts: [jointAttentionPart(seconds)] };
}

/** Measured points of a surface. */
function surfacePoints(
  { x, y, microseconds }: { x: number[]; y: number[]; microseconds: (number | null)[] },
): SurfacePoint[] {
  return microseconds.flatMap((time, cell) =>
    time === null ? [] : [{
      x: x[Math.floor(cell / y.length)]!,
      y: y[cell % y.length]!,
      seconds: time * MICROSECOND,
    }]
  );
}

type JointAttention = Extract<ProfileDegree["attention"], { kind: "joint" }>;

/** Measured points of the four-dimensional grid. */
function gridPoints(attention: JointAttention): AttentionPoint[] {
  const { chunkTokens, contextTokens, decodeCounts, decodeContextTokens } = attention;
  const [k, n, d] = [contextTokens.length, decodeCounts.length, decodeContextTokens.length];
  return attention.microseconds.flatMap((time, cell) =>
    time === null ? [] : [{
      chunkTokens: chunkTokens[Math.floor(cell / (k * n * d))]!,
      contextTokens: contextTokens[Math.floor(cell / (n * d)) % k]!,
      decodeCount: decodeCounts[Math.floor(cell / d) % n]!,
      decodeContextTokens: decodeContextTokens[cell % d]!,
      seconds: time * MICROSECOND,
    }]
  );
}
