/**
 * Time over two numbers, from measured points.
 *
 * @module
 */

/** One measured point. */
export interface SurfacePoint {
  /** First number, >= 0. */
  readonly x: number;
  /** Second number, >= 0. */
  readonly y: number;
  /** Seconds measured there. */
  readonly seconds: number;
}

/** How far beyond the measured end of an axis times are extrapolated: there they stay constant. */
const FAR = 64;

/**
 * Bilinear interpolation between points on a grid of `x` and `y` that may end at a different `y` for
 * every `x`; constant below the grid. Beyond its row's last point a time grows at the row's mean
 * slope, or, in rows too short to have one, at the slope of the row before times the ratio of `x`.
 * Non-decreasing along both axes: where noise is not, the larger earlier value is kept.
 */
export class Surface {
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #seconds: Float64Array;

  /**
   * @param points At least two different `x` and `y`, in any order; equal points are averaged.
   */
  constructor(points: readonly SurfacePoint[]) {
    const x = axis(points.map((point) => point.x));
    const y = axis(points.map((point) => point.y));
    const cells = new Float64Array(x.length * y.length);
    const counts = new Uint32Array(cells.length);
    for (const point of points) {
      const cell = x.indexOf(point.x) * y.length + y.indexOf(point.y);
      cells[cell]! += point.seconds;
      counts[cell]!++;
    }
    for (let cell = 0; cell < cells.length; cell++) {
      cells[cell] = counts[cell]! > 0 ? cells[cell]! / counts[cell]! : Number.NaN;
    }
    let slopePerX = 0;
    for (let row = 0; row < x.length - 1; row++) {
      const values = cells.subarray(row * y.length, (row + 1) * y.length);
      slopePerX = fillRow(values, y, x[row]!, slopePerX);
    }
    fillLastRow(cells, x, y.length);
    for (let cell = 0; cell < cells.length; cell++) {
      const left = cell % y.length === 0 ? 0 : cells[cell - 1]!;
      const above = cell < y.length ? 0 : cells[cell - y.length]!;
      cells[cell] = Math.max(cells[cell]!, left, above);
    }
    this.#x = x;
    this.#y = y;
    this.#seconds = cells;
  }

  /** Seconds at any `x, y >= 0`. */
  at(x: number, y: number): number {
    const row = lowerIndex(this.#x, x);
    const column = lowerIndex(this.#y, y);
    const xShare = share(this.#x, row, x);
    const yShare = share(this.#y, column, y);
    const width = this.#y.length;
    const cell = row * width + column;
    const seconds = this.#seconds;
    const low = seconds[cell]! + yShare * (seconds[cell + 1]! - seconds[cell]!);
    const next = cell + width;
    const high = seconds[next]! + yShare * (seconds[next + 1]! - seconds[next]!);
    return low + xShare * (high - low);
  }
}

/** Sorted distinct values and a knot far beyond. */
function axis(values: readonly number[]): Float64Array {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  return Float64Array.from([...sorted, FAR * sorted[sorted.length - 1]!]);
}

/** Shortest stretch of `y`, relative to the whole axis, whose slope is more than noise. */
const SHORTEST = 0.1;

/**
 * Fills the gaps of a row by interpolation and its end by extrapolation.
 *
 * @param slopePerX Slope of the row before over its `x`.
 * @returns The same of this row.
 */
function fillRow(values: Float64Array, y: Float64Array, x: number, slopePerX: number): number {
  const measured = [...values.keys()].filter((column) => !Number.isNaN(values[column]!));
  const first = measured[0]!;
  const last = measured[measured.length - 1]!;
  const length = y[last]! - y[first]!;
  const hasSlope = length >= SHORTEST * y[y.length - 2]!;
  const slope = hasSlope ? Math.max(0, values[last]! - values[first]!) / length : slopePerX * x;
  values.fill(values[first]!, 0, first);
  for (let i = 1; i < measured.length; i++) {
    const [from, to] = [measured[i - 1]!, measured[i]!];
    for (let column = from + 1; column < to; column++) {
      const position = (y[column]! - y[from]!) / (y[to]! - y[from]!);
      values[column] = values[from]! + position * (values[to]! - values[from]!);
    }
  }
  for (let column = last + 1; column < values.length; column++) {
    values[column] = values[last]! + slope * (y[column]! - y[last]!);
  }
  return x > 0 ? slope / x : slopePerX;
}

/** Continues every column to the far knot of `x`, at its slope over the upper half of the axis. */
function fillLastRow(cells: Float64Array, x: Float64Array, width: number): void {
  const last = x.length - 2;
  const half = x.findIndex((value) => value >= x[last]! / 2);
  const from = half === last ? 0 : half;
  for (let column = 0; column < width; column++) {
    const low = cells[from * width + column]!;
    const high = cells[last * width + column]!;
    const slope = Math.max(0, high - low) / (x[last]! - x[from]!);
    cells[(last + 1) * width + column] = high + slope * (x[last + 1]! - x[last]!);
  }
}

/** Index of the interval that holds the value, the last one beyond the axis. */
function lowerIndex(knots: Float64Array, value: number): number {
  let low = 0;
  let high = knots.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (knots[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Position of the value in its interval, in [0, 1]: constant below and beyond the axis. */
function share(knots: Float64Array, index: number, value: number): number {
  const position = (value - knots[index]!) / (knots[index + 1]! - knots[index]!);
  return Math.min(1, Math.max(0, position));
}
