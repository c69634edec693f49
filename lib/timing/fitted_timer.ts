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
  createAttentionTerm,
  createSamplingTerm,
  linkCosts,
  type RooflineSetting,
} from "./_roofline.ts";
import { interpolateShares, NO_SKEW, skewShare } from "./_skew_shares.ts";
import { Surface, type SurfacePoint } from "./_surface.ts";
import type { BatchShape, BatchTimer, OperationSeconds } from "./batch_timer.ts";
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
 * in the chunk and the context of a single prompt. Several prompts are looked up as one of as many
 * query-key pairs, see {@linkcode createProfileTimer}.
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
  const operations = Object.values(degree.layer);
  const ofKind = (kind: string): ProfileCurve[] => operations.filter((each) => each.kind === kind);
  const matmul = sumCurves(ofKind("matmul"), layers);
  const elementwise = sumCurves(ofKind("elementwise"), layers);
  const ends = { embedding: toCurve(degree.embedding), finalNorm: toCurve(degree.finalNorm) };
  const sampling = toCurve(degree.sampling);
  const samplingSeconds = sampling
    ? (sequences: number) => sampling.at(sequences)
    : createSamplingTerm(setting);
  const attentionSeconds = createAttention(degree, setting);
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
      return matmul.at(tokens) + elementwise.at(tokens) + attentionSeconds(batch) +
        reduceSeconds(tokens) +
        endSeconds(tokens, stage) +
        (stage === lastStage ? samplingSeconds(batch.requestCount) : sendSeconds(tokens));
    },
    overheadSeconds,
    operationSeconds(batch: BatchShape, stage: number): OperationSeconds {
      const tokens = batch.totalTokens;
      const isLast = stage === lastStage;
      return {
        matmul: matmul.at(tokens),
        attention: attentionSeconds(batch),
        elementwise: elementwise.at(tokens) + endSeconds(tokens, stage),
        communication: reduceSeconds(tokens) + (isLast ? 0 : sendSeconds(tokens)),
        launch: 0,
        sampling: isLast ? samplingSeconds(batch.requestCount) : 0,
        cpu: overheadSeconds(batch),
      };
    },
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

/** Sum of curves, times a factor, as one. */
function sumCurves(curves: readonly ProfileCurve[], factor: number): Curve {
  const parts = curves.map((curve) => toCurve(curve)!);
  const counts = new Set(curves.flatMap((curve) => curve.counts));
  return new Curve([...counts, 1].map((count) => ({
    count,
    seconds: factor * parts.reduce((sum, part) => sum + part.at(Math.floor(count)), 0),
  })));
}

/** Attention of all layers of a stage. */
function createAttention(
  { attention }: ProfileDegree,
  setting: RooflineSetting,
): (batch: BatchShape) => number {
  const layers = setting.shard.layersPerStage;
  if (attention.kind === "analytic") return createAttentionTerm(setting);
  if (attention.kind === "separate") {
    const prefill = new Surface(surfacePoints(attention.prefill));
    const decode = new Surface(surfacePoints(attention.decode));
    return (batch) => {
      let seconds = 0;
      if (batch.prefillCount > 0) {
        const { chunkTokens, contextTokens } = mergeChunks(batch);
        seconds += prefill.at(chunkTokens, contextTokens);
      }
      const { decodeCount } = batch;
      if (decodeCount > 0) {
        seconds += decode.at(decodeCount, batch.decodeContextTokens / decodeCount);
      }
      return layers * seconds;
    };
  }
  const grid = new AttentionGrid(gridPoints(attention));
  const { skew } = attention;
  const shares = skew === undefined ? NO_SKEW : {
    alone: interpolateShares(skew.decodeCounts, skew.alone),
    mixed: interpolateShares(skew.decodeCounts, skew.mixed),
  };
  return (batch) => {
    const { decodeCount: decodes } = batch;
    const { chunkTokens: chunk, contextTokens: context } = mergeChunks(batch);
    if (decodes === 0) return layers * grid.at(chunk, context, 0, 0);
    const atMean = grid.at(chunk, context, decodes, batch.decodeContextTokens / decodes);
    const share = skewShare(shares, decodes, chunk > 0);
    if (share === 0) return layers * atMean;
    const atLongest = grid.at(chunk, context, decodes, batch.maxDecodeContextTokens);
    return layers * (atMean + share * (atLongest - atMean));
  };
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
