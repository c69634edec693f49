/**
 * A measured grid reduced to few rows and columns.
 *
 * @module
 */
import { quantile } from "../stats/mod.ts";
import { type FitError, fitErrorOf, type FitPair } from "./_fit_error.ts";

/** A measured time at a point of as many coordinates as there are axes. */
export interface GridPoint {
  /** Coordinates, each >= 0. */
  readonly at: readonly number[];
  /** Seconds measured there, > 0. */
  readonly seconds: number;
}

/** When to stop, and how times between the kept points are found. */
export interface GridFitOptions {
  /** Most points to keep. */
  readonly maxPoints: number;
  /** 90th percentile of relative errors that is good enough. */
  readonly tolerance: number;
  /** Whether a value of an axis may be kept. Default all. */
  readonly isKnot?: (value: number, axis: number) => boolean;
  /** Makes an interpolator of kept points. */
  readonly interpolate: (points: readonly GridPoint[]) => (at: readonly number[]) => number;
}

/** A reduced grid with its error. */
export interface GridFit {
  /** Kept points, as measured. */
  readonly points: readonly GridPoint[];
  /** At all points that were not kept, or, where there are none, at those that were. */
  readonly error: FitError;
}

/** Points on which candidates are compared, and candidates an axis at each step. */
const SAMPLE = 1500;
const CANDIDATES = 12;

/**
 * Keeps the points at a few values of each axis: at first 0 and the smallest and the largest values,
 * then, again and again, at one more value, the one with which the mean relative error falls most.
 * Kept times are as measured, so that the error at all others is of points that no value was
 * fitted to.
 */
export function fitGrid(points: readonly GridPoint[], options: GridFitOptions): GridFit {
  const { maxPoints, tolerance, interpolate, isKnot = () => true } = options;
  const axes = points[0]!.at.map((_, axis) =>
    [...new Set(points.map(({ at }) => at[axis]!))].filter((value) => isKnot(value, axis))
      .sort((a, b) => a - b)
  );
  const step = Math.max(1, Math.floor(points.length / SAMPLE));
  const sample = points.filter((_, i) => i % step === 0);
  const select = (chosen: readonly ReadonlySet<number>[]): GridPoint[] =>
    points.filter(({ at }) => at.every((value, axis) => chosen[axis]!.has(value)));
  const errorsOf = (kept: readonly GridPoint[]): number[] => {
    const predict = interpolate(kept);
    return sample.map(({ at, seconds }) => Math.abs(predict(at) / seconds - 1));
  };
  let chosen = axes.map((values) =>
    new Set([values[0]!, ...values.filter((value) => value > 0).slice(0, 1), values.at(-1)!])
  );
  let kept = select(chosen);
  while (quantile(errorsOf(kept), 0.9) > tolerance) {
    let best: { error: number; chosen: Set<number>[]; kept: GridPoint[] } | undefined;
    for (const [axis, values] of axes.entries()) {
      const open = values.filter((value) => !chosen[axis]!.has(value));
      const stride = Math.max(1, Math.floor(open.length / CANDIDATES));
      for (let i = Math.floor(stride / 2); i < open.length; i += stride) {
        const trial = chosen.map((set, k) => k === axis ? new Set([...set, open[i]!]) : set);
        const subset = select(trial);
        if (subset.length > maxPoints) continue;
        const errors = errorsOf(subset);
        const error = errors.reduce((sum, value) => sum + value, 0) / errors.length;
        if (best === undefined || error < best.error) best = { error, chosen: trial, kept: subset };
      }
    }
    if (best === undefined) break;
    ({ chosen, kept } = best);
  }
  const predict = interpolate(kept);
  const rest = new Set(points).difference(new Set(kept));
  const compared = rest.size > 0 ? [...rest] : kept;
  const pairs = compared.map(({ at, seconds }): FitPair => [predict(at), seconds]);
  return { points: kept, error: fitErrorOf(pairs) };
}
