/**
 * A measured curve reduced to few knots.
 *
 * @module
 */
import { quantile } from "../stats/mod.ts";
import { Curve, type CurvePoint } from "./_curve.ts";
import { type FitError, fitErrorOf, type FitPair } from "./_fit_error.ts";
import { isotonic } from "./isotonic.ts";

/** When to stop adding knots. */
export interface CurveFitOptions {
  /** Most knots, >= 2. */
  readonly maxKnots: number;
  /** 90th percentile of relative errors that is good enough. */
  readonly tolerance: number;
}

/** A reduced curve with its errors. */
export interface CurveFit {
  /** Knots by increasing count. */
  readonly knots: readonly CurvePoint[];
  /** At the points that were fitted; absent when all are 0. */
  readonly error?: FitError;
  /** At points of which every fifth was left out of a fit; absent with fewer than ten. */
  readonly heldOut?: FitError;
}

/** Folds of the cross-validation. */
const FOLDS = 5;

/**
 * Fits a non-decreasing, piecewise linear curve. Knots lie at measured counts, the first and the last
 * among them: those that minimise the sum of squared relative errors of the line through the
 * (isotonic) measurements there, found by dynamic programming. Their number is the smallest with
 * which the 90th percentile of relative errors is within the tolerance, or the largest allowed. Their
 * values then minimise the sum again.
 *
 * @param points At least one of a count >= 1; points of equal count are averaged, those below a
 *   microsecond count with an absolute error.
 */
export function fitCurve(points: readonly CurvePoint[], options: CurveFitOptions): CurveFit {
  const merged = mergePoints(points);
  const knots = fitKnots(merged, options);
  const pairs = pairsOf(knots, merged);
  if (pairs.length === 0) return { knots };
  const error = fitErrorOf(pairs);
  if (merged.length < 2 * FOLDS) return { knots, error };
  const heldOut = Array.from({ length: FOLDS }, (_, fold) => {
    const isHeld = (i: number): boolean => i % FOLDS === fold && i > 0 && i < merged.length - 1;
    const kept = merged.filter((_, i) => !isHeld(i));
    return pairsOf(fitKnots(kept, options), merged.filter((_, i) => isHeld(i)));
  });
  return { knots, error, heldOut: fitErrorOf(heldOut.flat()) };
}

/** Predicted and measured seconds, as a loaded curve predicts them; without times of 0. */
function pairsOf(knots: readonly CurvePoint[], points: readonly CurvePoint[]): FitPair[] {
  const curve = new Curve(knots);
  return points.filter(({ seconds }) => seconds > 0)
    .map(({ count, seconds }) => {
      const [low, high] = [curve.at(Math.floor(count)), curve.at(Math.ceil(count))];
      return [low + (count % 1) * (high - low), seconds];
    });
}

/** Averages points of equal count, by increasing count. */
export function mergePoints(points: readonly CurvePoint[]): CurvePoint[] {
  const groups = Map.groupBy(points, ({ count }) => count);
  return [...groups].sort(([a], [b]) => a - b).map(([count, group]) => ({
    count,
    seconds: group.reduce((sum, { seconds }) => sum + seconds, 0) / group.length,
  }));
}

function fitKnots(
  points: readonly CurvePoint[],
  { maxKnots, tolerance }: CurveFitOptions,
): readonly CurvePoint[] {
  let knots = points;
  for (const at of bestKnots(points, Math.min(maxKnots, points.length))) {
    const values = knotValues(points, at);
    knots = at.map((i, k) => ({ count: points[i]!.count, seconds: values[k]! }));
    const errors = pairsOf(knots, points).map(([fitted, measured]) =>
      Math.abs(fitted / measured - 1)
    );
    if (errors.length === 0 || quantile(errors, 0.9) <= tolerance) break;
  }
  return knots;
}

/** Positions of 2, 3, ... knots, each time those of least error. */
function* bestKnots(points: readonly CurvePoint[], most: number): Generator<number[]> {
  const size = points.length;
  const cost = segmentCosts(points);
  let best = Float64Array.from({ length: size }, (_, i) => i === 0 ? 0 : Infinity);
  const from: Int32Array[] = [];
  for (let knots = 2; knots <= most; knots++) {
    const next = new Float64Array(size).fill(Infinity);
    const origin = new Int32Array(size);
    for (let end = knots - 1; end < size; end++) {
      for (let start = knots - 2; start < end; start++) {
        const sum = best[start]! + cost[start * size + end]!;
        if (sum < next[end]!) {
          next[end] = sum;
          origin[end] = start;
        }
      }
    }
    best = next;
    from.push(origin);
    const at = [size - 1];
    for (let k = from.length - 1; k >= 0; k--) at.unshift(from[k]![at[0]!]!);
    yield at;
  }
}

/** Sum of squared relative errors of the line from point `i` to `j > i`, `[n, n]`. */
function segmentCosts(points: readonly CurvePoint[]): Float64Array {
  const size = points.length;
  const smooth = isotonic(points.map(({ seconds }) => seconds));
  // Prefix sums of w, w x, w y, w x^2, w x y, w y^2.
  const sums = Array.from({ length: 6 }, () => new Float64Array(size + 1));
  points.forEach(({ count: x, seconds: y }, i) => {
    const w = 1 / Math.max(y, RESOLUTION) ** 2;
    [w, w * x, w * y, w * x * x, w * x * y, w * y * y].forEach((term, k) =>
      sums[k]![i + 1] = sums[k]![i]! + term
    );
  });
  const cost = new Float64Array(size * size);
  const [w, wx, wy, wxx, wxy, wyy] = sums as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let i = 0; i < size; i++) {
    for (let j = i + 1; j < size; j++) {
      const slope = (smooth[j]! - smooth[i]!) / (points[j]!.count - points[i]!.count);
      const base = smooth[i]! - slope * points[i]!.count;
      const sum = (prefix: Float64Array): number => prefix[j + 1]! - prefix[i + 1]!;
      const square = sum(wyy) + base * base * sum(w) + slope * slope * sum(wxx) +
        2 * (base * slope * sum(wx) - base * sum(wy) - slope * sum(wxy));
      cost[i * size + j] = Math.max(0, square);
    }
  }
  return cost;
}

/** Smallest time that a relative error is taken of: the resolution of a microsecond clock. */
const RESOLUTION = 1e-6;

/**
 * Least-squares values at two knots or more, by Thomas's algorithm on the tridiagonal normal
 * equations.
 */
function knotValues(points: readonly CurvePoint[], at: readonly number[]): number[] {
  const size = at.length;
  const diagonal = new Float64Array(size);
  const upper = new Float64Array(size);
  const right = new Float64Array(size);
  let k = 0;
  for (const [i, { count, seconds }] of points.entries()) {
    while (k < size - 2 && i > at[k + 1]!) k++;
    const [from, to] = [points[at[k]!]!.count, points[at[k + 1]!]!.count];
    const share = (count - from) / (to - from);
    const weight = 1 / Math.max(seconds, RESOLUTION) ** 2;
    diagonal[k]! += weight * (1 - share) ** 2;
    diagonal[k + 1]! += weight * share * share;
    upper[k]! += weight * share * (1 - share);
    right[k]! += weight * (1 - share) * seconds;
    right[k + 1]! += weight * share * seconds;
  }
  for (let row = 1; row < size; row++) {
    const factor = upper[row - 1]! / diagonal[row - 1]!;
    diagonal[row]! -= factor * upper[row - 1]!;
    right[row]! -= factor * right[row - 1]!;
  }
  const values = new Array<number>(size);
  for (let row = size - 1; row >= 0; row--) {
    const next = row + 1 < size ? upper[row]! * values[row + 1]! : 0;
    values[row] = (right[row]! - next) / diagonal[row]!;
  }
  return Array.from(isotonic(values), (value) => Math.max(0, value));
}
