/**
 * Making a compact profile of measured tables.
 *
 * @module
 */
import type { ModelSpec } from "../hardware/mod.ts";
import { AttentionGrid } from "./_attention_grid.ts";
import { type BundlePoints, readBundlePoints } from "./_bundle_points.ts";
import { Curve, type CurvePoint } from "./_curve.ts";
import { fitCurve, mergePoints } from "./_fit_curve.ts";
import { fitErrorOf, type FitPair } from "./_fit_error.ts";
import { fitGrid } from "./_fit_grid.ts";
import { Surface, type SurfacePoint } from "./_surface.ts";
import {
  readVidurDegrees,
  readVidurPoints,
  type VidurLayerOperation,
  vidurLayerOperations,
  type VidurProfileFiles,
} from "./_vidur_points.ts";
import type { ProfileCurve, ProfileDegree } from "./profile_schema.ts";

/** How closely tables are to be followed. */
export interface ProfileFitOptions {
  /** Most knots of a matrix product's curve, >= 4; all others get half of it. Default 16. */
  readonly maxKnots?: number;
  /** 90th percentile of relative errors that is good enough for a curve, >= 0. Default 0.02. */
  readonly tolerance?: number;
  /** Most points of a table of attention. Default 160 of two dimensions, 900 of four. */
  readonly maxAttentionPoints?: number;
}

/** What {@linkcode fitVidurProfile} and {@linkcode fitBundleProfile} did, for the file's `method`. */
export const PROFILE_METHOD = "Curves: piecewise linear, non-decreasing, least squares of " +
  "relative errors; knots by dynamic programming, as few as bring the 90th percentile of errors " +
  "within the tolerance, at most 16 for matrix products and 8 for the rest unless stated. Attention: measured times at the few values of " +
  "each axis that lower the mean relative error most. Errors are |fitted / measured - 1|. heldOut: " +
  "every fifth point in turn was left out of a fit of the others. Without a table, the analytic " +
  "timer's term stands in: output matrix, sampling and CPU time of Vidur's profiles always.";

/** Vidur's operations that are matrix products. */
const MATMUL: readonly VidurLayerOperation[] = [
  "attn_pre_proj",
  "attn_post_proj",
  "mlp_up_proj",
  "mlp_down_proj",
];

/**
 * Fits every degree of tensor parallelism of tables in Vidur's format.
 *
 * @throws {TraceError} When a file cannot be read or lacks a column.
 * @throws {ConfigError} When `mlp.csv` has no rows of the model.
 */
export async function fitVidurProfile(
  files: VidurProfileFiles,
  model: ModelSpec,
  options: ProfileFitOptions = {},
): Promise<ProfileDegree[]> {
  const measured = await readVidurDegrees(files, model);
  const degrees: ProfileDegree[] = [];
  // Of a model without rows, reading any degree throws the error that says so.
  for (const tensorParallel of measured.mlp.length > 0 ? measured.mlp : [1]) {
    const points = await readVidurPoints({
      mlp: files.mlp,
      ...pick("attention", files, measured.attention.includes(tensorParallel)),
      ...pick("allReduce", files, measured.allReduce.includes(tensorParallel)),
      ...pick("sendRecv", files, true),
      ...pick("cpuOverheads", files, measured.cpuOverheads.includes(tensorParallel)),
    }, { model, tensorParallel });
    const present = vidurLayerOperations.filter((name) =>
      points.operations[name].some(({ seconds }) => seconds > 0)
    );
    const operations = present.map((name) => ({
      name,
      kind: MATMUL.includes(name) ? "matmul" as const : "elementwise" as const,
      points: points.operations[name],
    }));
    const { prefill, decode } = points;
    degrees.push({
      tensorParallel,
      ...fitLayer(operations, options),
      attention: prefill === undefined || decode === undefined
        ? {
          kind: "analytic",
          reason: "no table of attention for this model, GPU and tensorParallel is public",
        }
        : {
          kind: "separate",
          prefill: fitSurface(prefill, options),
          decode: fitSurface(decode, options),
        },
      embedding: toFile(points.embedding, options),
      ...fitOptional("allReduce", points.allReduce?.filter(hasToken), options),
      ...fitOptional("sendRecv", points.sendRecv?.filter(hasToken), options),
      ...fitOptional("cpu", points.cpu, options),
    });
  }
  return degrees;
}

/**
 * Fits one degree of tensor parallelism of an LLMServingSim bundle.
 *
 * @throws {TraceError} When a file cannot be read, or an operation is unknown or not measured.
 */
export async function fitBundleProfile(
  folder: string,
  tensorParallel: number,
  options: ProfileFitOptions = {},
): Promise<ProfileDegree> {
  const points = await readBundlePoints(folder, tensorParallel);
  const operations = [...points.layer].map(([name, measured]) => ({
    name,
    kind: name.endsWith("_proj") ? "matmul" as const : "elementwise" as const,
    points: measured,
  }));
  return {
    tensorParallel: points.tensorParallel,
    ...fitLayer(operations, options),
    attention: fitJointAttention(points, options),
    embedding: toFile(points.ends.get("embedding")!, options),
    finalNorm: toFile(points.ends.get("final_layernorm")!, options),
    sampling: toFile(sumAtCounts([...points.sampling.values()]), options),
    cpu: NO_CPU,
  };
}

/**
 * vLLM's engine prepares an iteration while the GPU computes the one before
 * (`scheduler_config.async_scheduling`, on by default in the profiled version).
 */
const NO_CPU: ProfileCurve = { counts: [1], microseconds: [0] };

/** A collective of less than one token never happens. */
function hasToken({ count }: CurvePoint): boolean {
  return count >= 1;
}

function pick<K extends keyof VidurProfileFiles>(
  key: K,
  files: VidurProfileFiles,
  isMeasured: boolean,
): Partial<Pick<VidurProfileFiles, K>> {
  return isMeasured && files[key] !== undefined
    ? { [key]: files[key] } as Pick<VidurProfileFiles, K>
    : {};
}

/** Four significant digits: more than any clock has measured. */
function toMicroseconds(seconds: number): number {
  return Number((seconds * 1e6).toPrecision(4));
}

function toFile(
  points: readonly CurvePoint[],
  options: ProfileFitOptions,
  isMatmul = false,
): ProfileCurve {
  const { maxKnots = 16, tolerance = 0.02 } = options;
  const { knots, error, heldOut } = fitCurve(points, {
    maxKnots: isMatmul ? maxKnots : Math.ceil(maxKnots / 2),
    tolerance,
  });
  return {
    counts: knots.map(({ count }) => count),
    microseconds: knots.map(({ seconds }) => toMicroseconds(seconds)),
    ...(error !== undefined && { error }),
    ...(heldOut !== undefined && { heldOut }),
  };
}

function fitOptional<K extends string>(
  key: K,
  points: readonly CurvePoint[] | undefined,
  options: ProfileFitOptions,
): Partial<Record<K, ProfileCurve>> {
  if (points === undefined || points.length === 0) return {};
  return { [key]: toFile(points, options) } as Record<K, ProfileCurve>;
}

interface LayerOperation {
  readonly name: string;
  readonly kind: "matmul" | "elementwise";
  readonly points: readonly CurvePoint[];
}

function fitLayer(
  operations: readonly LayerOperation[],
  options: ProfileFitOptions,
): Pick<ProfileDegree, "layer" | "layerError"> {
  const layer = Object.fromEntries(operations.map(({ name, kind, points }) => {
    return [name, { kind, ...toFile(points, options, kind === "matmul") }];
  }));
  const curves = Object.values(layer).map(({ counts, microseconds }) =>
    new Curve(counts.map((count, k) => ({ count, seconds: microseconds[k]! * 1e-6 })))
  );
  const pairs = sumAtCounts(operations.map(({ points }) => points))
    .map(({ count, seconds }): FitPair => [
      curves.reduce((sum, curve) => sum + curve.at(count), 0),
      seconds,
    ]);
  return { layer, layerError: fitErrorOf(pairs) };
}

/** Sum of curves at the counts at which all were measured. */
function sumAtCounts(curves: readonly (readonly CurvePoint[])[]): CurvePoint[] {
  const [first, ...rest] = curves.map((points) => mergePoints(points));
  const others = rest.map((points) =>
    new Map(points.map(({ count, seconds }) => [count, seconds]))
  );
  return first!.filter(({ count }) => others.every((byCount) => byCount.has(count)))
    .map(({ count, seconds }) => ({
      count,
      seconds: others.reduce((sum, byCount) => sum + byCount.get(count)!, seconds),
    }));
}

type SurfaceFile = Extract<ProfileDegree["attention"], { kind: "separate" }>["prefill"];

function fitSurface(points: readonly SurfacePoint[], options: ProfileFitOptions): SurfaceFile {
  const { maxAttentionPoints = 160, tolerance = 0.02 } = options;
  const merged = [...Map.groupBy(points, ({ x, y }) => `${x}/${y}`).values()].map((group) => ({
    at: [group[0]!.x, group[0]!.y],
    seconds: group.reduce((sum, { seconds }) => sum + seconds, 0) / group.length,
  }));
  const fit = fitGrid(merged, {
    maxPoints: maxAttentionPoints,
    tolerance,
    interpolate(kept) {
      const surface = new Surface(
        kept.map(({ at, seconds }) => ({ x: at[0]!, y: at[1]!, seconds })),
      );
      return (at) => surface.at(at[0]!, at[1]!);
    },
  });
  const { axes: [x, y], microseconds } = toTable(fit.points);
  return { x: x!, y: y!, microseconds, error: fit.error };
}

function fitJointAttention(
  { attention, skew }: BundlePoints,
  options: ProfileFitOptions,
): ProfileDegree["attention"] {
  const { maxAttentionPoints = 900, tolerance = 0.02 } = options;
  const points = attention.map((
    { chunkTokens, contextTokens, decodeCount, decodeContextTokens, seconds },
  ) => ({ at: [chunkTokens, contextTokens, decodeCount, decodeContextTokens], seconds }));
  const smallest = [0, 1, 2, 3].map((axis) =>
    points.reduce((least, { at }) => at[axis]! > 0 ? Math.min(least, at[axis]!) : least, Infinity)
  );
  const fit = fitGrid(
    points,
    {
      maxPoints: maxAttentionPoints,
      tolerance,
      // The grid's axes double.
      isKnot: (value, axis) => value === 0 || Number.isInteger(Math.log2(value / smallest[axis]!)),
      interpolate(kept) {
        const grid = new AttentionGrid(kept.map(({ at, seconds }) => ({
          chunkTokens: at[0]!,
          contextTokens: at[1]!,
          decodeCount: at[2]!,
          decodeContextTokens: at[3]!,
          seconds,
        })));
        return (at) => grid.at(at[0]!, at[1]!, at[2]!, at[3]!);
      },
    },
  );
  const { axes, microseconds } = toTable(fit.points);
  const counts = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024].filter((count) =>
    count < Math.max(skew.alone.length, skew.mixed.length)
  );
  const shares = (table: Float64Array): number[] =>
    counts.map((count) => Number((table[Math.min(count, table.length - 1)]!).toFixed(4)));
  return {
    kind: "joint",
    chunkTokens: axes[0]!,
    contextTokens: axes[1]!,
    decodeCounts: axes[2]!,
    decodeContextTokens: axes[3]!,
    microseconds,
    ...(counts.length > 0 && {
      skew: { decodeCounts: counts, alone: shares(skew.alone), mixed: shares(skew.mixed) },
    }),
    error: fit.error,
  };
}

/** Points as a full table over their axes, row-major, with `null` in the gaps. */
function toTable(
  points: readonly { readonly at: readonly number[]; readonly seconds: number }[],
): { axes: number[][]; microseconds: (number | null)[] } {
  const axes = points[0]!.at.map((_, axis) =>
    [...new Set(points.map(({ at }) => at[axis]!))].sort((a, b) => a - b)
  );
  const size = axes.reduce((product, axis) => product * axis.length, 1);
  const microseconds = new Array<number | null>(size).fill(null);
  for (const { at, seconds } of points) {
    const cell = axes.reduce((index, axis, d) => index * axis.length + axis.indexOf(at[d]!), 0);
    microseconds[cell] = toMicroseconds(seconds);
  }
  return { axes, microseconds };
}
