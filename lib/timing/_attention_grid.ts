/**
 * Attention time over the four numbers that describe a batch to it.
 *
 * @module
 */

/** One measured batch: a prompt chunk with its context, and equal decodes. */
export interface AttentionPoint {
  /** Prompt tokens computed, 0 without a prompt. */
  readonly chunkTokens: number;
  /** Prompt tokens already cached. */
  readonly contextTokens: number;
  /** Decodes. */
  readonly decodeCount: number;
  /** Cached tokens of each decode. */
  readonly decodeContextTokens: number;
  /** Seconds of one layer. */
  readonly seconds: number;
}

/** Sorted values of the four axes. */
type Axes = readonly [Float64Array, Float64Array, Float64Array, Float64Array];

/** How far beyond the measured end of an axis times are extrapolated: there they stay constant. */
const FAR = 64;

/**
 * Multilinear interpolation over a full grid of (chunk, context, decodes, decode context), 0 where
 * there is neither chunk nor decode. Beyond the measured batches a knot at 64 times the last value
 * of each axis continues the line through the last two. Non-decreasing along every axis, beyond the
 * end too: where noise or lines that cross are not, the larger earlier value is kept.
 */
export class AttentionGrid {
  readonly #chunks: Float64Array;
  readonly #contexts: Float64Array;
  readonly #decodes: Float64Array;
  readonly #depths: Float64Array;
  readonly #seconds: Float64Array;

  /**
   * @param points Measured batches. Of their values on each axis, those that double from the
   *   smallest on make the grid; batches of more decodes than were measured are extrapolated.
   * @throws {RangeError} When an axis has no value > 0, or a cell of the grid cannot be filled.
   */
  constructor(points: readonly AttentionPoint[]) {
    const axes: Axes = [
      doublingAxis("chunkTokens", points),
      doublingAxis("contextTokens", points),
      doublingAxis("decodeCount", points),
      // Decodes have a context: its axis starts at the smallest one measured.
      doublingAxis("decodeContextTokens", points).subarray(1),
    ];
    const [chunks, contexts, decodes, decodeContexts] = axes;
    const strides = [
      contexts.length * decodes.length * decodeContexts.length,
      decodes.length * decodeContexts.length,
      decodeContexts.length,
      1,
    ] as const;
    const cells = fillMeasured(points, axes, strides);
    for (const axis of [2, 0, 1, 3] as const) extrapolate(cells, axis, axes[axis], strides[axis]);
    const missing = cells.findIndex((seconds) => Number.isNaN(seconds));
    if (missing >= 0) {
      throw new RangeError(
        `Cannot interpolate attention: every batch of the doubling grid must be measured, missing is cell ${missing} of ${cells.length}`,
      );
    }
    for (const [axis, stride] of strides.entries()) {
      const size = axes[axis]!.length;
      for (let cell = 0; cell < cells.length; cell++) {
        if (Math.floor(cell / stride) % size === 0) continue;
        cells[cell] = Math.max(cells[cell]!, cells[cell - stride]!);
      }
    }
    this.#chunks = chunks;
    this.#contexts = contexts;
    this.#decodes = decodes;
    this.#depths = decodeContexts;
    this.#seconds = cells;
  }

  /** Seconds of one layer's attention; all arguments >= 0, real numbers allowed. */
  at(
    chunkTokens: number,
    contextTokens: number,
    decodeCount: number,
    decodeContextTokens: number,
  ): number {
    const chunks = this.#chunks;
    const contexts = this.#contexts;
    const decodes = this.#decodes;
    const depths = this.#depths;
    const decodeStride = depths.length;
    const contextStride = decodes.length * decodeStride;
    const c = lowerIndex(chunks, chunkTokens);
    const k = lowerIndex(contexts, contextTokens);
    const n = lowerIndex(decodes, decodeCount);
    const d = lowerIndex(depths, decodeContextTokens);
    const chunkShare = share(chunks, c, chunkTokens);
    const contextShare = share(contexts, k, contextTokens);
    const decodeShare = share(decodes, n, decodeCount);
    const depthShare = share(depths, d, decodeContextTokens);
    const seconds = this.#seconds;
    const cell = (c * contexts.length + k) * contextStride + n * decodeStride + d;
    const low = plane(
      seconds,
      cell,
      contextStride,
      decodeStride,
      contextShare,
      decodeShare,
      depthShare,
    );
    if (chunkShare === 0) return low;
    const high = plane(
      seconds,
      cell + contexts.length * contextStride,
      contextStride,
      decodeStride,
      contextShare,
      decodeShare,
      depthShare,
    );
    return low + chunkShare * (high - low);
  }
}

/** Trilinear interpolation over context, decodes and their depth, without allocation. */
function plane(
  seconds: Float64Array,
  cell: number,
  contextStride: number,
  decodeStride: number,
  contextShare: number,
  decodeShare: number,
  depthShare: number,
): number {
  const low = line(seconds, cell, decodeStride, decodeShare, depthShare);
  if (contextShare === 0) return low;
  const high = line(seconds, cell + contextStride, decodeStride, decodeShare, depthShare);
  return low + contextShare * (high - low);
}

/** Bilinear interpolation over decodes and their depth. */
function line(
  seconds: Float64Array,
  cell: number,
  decodeStride: number,
  decodeShare: number,
  depthShare: number,
): number {
  const low = seconds[cell]! + depthShare * (seconds[cell + 1]! - seconds[cell]!);
  const next = cell + decodeStride;
  const high = seconds[next]! + depthShare * (seconds[next + 1]! - seconds[next]!);
  return low + decodeShare * (high - low);
}

/** 0, the smallest value above it, its doubles that occur, and a knot far beyond. */
function doublingAxis(
  name: Exclude<keyof AttentionPoint, "seconds">,
  points: readonly AttentionPoint[],
): Float64Array {
  const values = points.map((point) => point[name]);
  const present = new Set(values);
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  const smallest = values.reduce(
    (least, value) => value > 0 ? Math.min(least, value) : least,
    Infinity,
  );
  if (smallest === Infinity) {
    throw new RangeError(
      `Cannot interpolate attention: ${name} must be > 0 in a measured batch, current values are 0`,
    );
  }
  const axis = [0];
  for (let value = smallest; value <= largest; value *= 2) if (present.has(value)) axis.push(value);
  return Float64Array.from([...axis, FAR * axis[axis.length - 1]!]);
}

/** Puts measured batches into the cells they determine; `NaN` elsewhere. */
function fillMeasured(
  points: readonly AttentionPoint[],
  [chunks, contexts, decodes, decodeContexts]: Axes,
  [chunkStride, contextStride, decodeStride]: readonly number[],
): Float64Array {
  const cells = new Float64Array(chunks.length * chunkStride!).fill(Number.NaN);
  // Without a chunk its context does not matter, without decodes theirs does not.
  const everyContext = Array.from(contexts, (_, i) => i);
  const everyDepth = Array.from(decodeContexts, (_, i) => i);
  const set = (c: number, ks: readonly number[], n: number, ds: readonly number[], s: number) => {
    for (const k of ks) {
      for (const d of ds) cells[c * chunkStride! + k * contextStride! + n * decodeStride! + d] = s;
    }
  };
  set(0, everyContext, 0, everyDepth, 0);
  for (const point of points) {
    const c = chunks.indexOf(point.chunkTokens);
    const k = contexts.indexOf(point.contextTokens);
    const n = decodes.indexOf(point.decodeCount);
    const d = decodeContexts.indexOf(point.decodeContextTokens);
    if (c < 0 || n < 0 || (c > 0 && k < 0) || (n > 0 && d < 0)) continue;
    set(c, c > 0 ? [k] : everyContext, n, n > 0 ? [d] : everyDepth, point.seconds);
  }
  return cells;
}

/** Continues cells without a measurement along an axis, by the line through the two before. */
function extrapolate(
  cells: Float64Array,
  axisIndex: number,
  axis: Float64Array,
  stride: number,
): void {
  for (let cell = 0; cell < cells.length; cell++) {
    const at = Math.floor(cell / stride) % axis.length;
    if (!Number.isNaN(cells[cell]!) || at < 2) continue;
    // Only the number of decodes may have gaps among measured values: engines bound it by batch.
    if (axisIndex !== 2 && at < axis.length - 1) continue;
    const [low, high] = [cells[cell - 2 * stride]!, cells[cell - stride]!];
    const slope = (high - low) / (axis[at - 1]! - axis[at - 2]!);
    cells[cell] = high + slope * (axis[at]! - axis[at - 1]!);
  }
}

/** Index of the interval that holds the value, the last one beyond the axis. */
function lowerIndex(axis: Float64Array, value: number): number {
  const last = axis.length - 2;
  let index = 0;
  while (index < last && axis[index + 1]! <= value) index++;
  return index;
}

/** Position of the value in its interval, in [0, 1]: constant below and beyond the axis. */
function share(axis: Float64Array, index: number, value: number): number {
  const position = (value - axis[index]!) / (axis[index + 1]! - axis[index]!);
  return Math.min(1, Math.max(0, position));
}
