/**
 * Time over a count, from measured points.
 *
 * @module
 */
import { isotonic } from "./isotonic.ts";

/** One measured point. */
export interface CurvePoint {
  /** The count, >= 0; whole or not. */
  readonly count: number;
  /** Seconds measured there. */
  readonly seconds: number;
}

/**
 * A non-decreasing function of a count: linear between measured points, constant below the first,
 * and beyond the last along the line through the last point and the one at half its count, which
 * noise between neighbours cannot tilt. Tabulated, so that a look-up is one read.
 */
export class Curve {
  readonly #seconds: Float64Array;
  readonly #slope: number;

  /**
   * @param points At least one, in any order, one of a count >= 1; points of the same count are
   *   averaged.
   */
  constructor(points: readonly CurvePoint[]) {
    const sums = new Map<number, { total: number; points: number }>();
    for (const { count, seconds } of points) {
      const sum = sums.get(count) ?? { total: 0, points: 0 };
      sums.set(count, { total: sum.total + seconds, points: sum.points + 1 });
    }
    const counts = [...sums.keys()].sort((a, b) => a - b);
    const smooth = isotonic(counts.map((count) => {
      const sum = sums.get(count)!;
      return sum.total / sum.points;
    }));
    const last = Math.floor(counts[counts.length - 1]!);
    this.#seconds = new Float64Array(last + 1);
    this.#seconds.fill(smooth[0]!, 0, Math.min(last, Math.ceil(counts[0]!)) + 1);
    for (let k = 1; k < counts.length; k++) {
      const from = counts[k - 1]!;
      const low = smooth[k - 1]!;
      const slope = (smooth[k]! - low) / (counts[k]! - from);
      const end = Math.floor(counts[k]!);
      for (let count = Math.floor(from) + 1; count <= end; count++) {
        this.#seconds[count] = low + slope * (count - from);
      }
      // What was measured comes out to the last bit.
      if (end === counts[k]!) this.#seconds[end] = smooth[k]!;
    }
    const half = Math.floor(last / 2);
    this.#slope = half === last ? 0 : (this.#seconds[last]! - this.#seconds[half]!) / (last - half);
  }

  /** Seconds at an integer count >= 0. */
  at(count: number): number {
    const last = this.#seconds.length - 1;
    if (count <= last) return this.#seconds[count]!;
    return this.#seconds[last]! + this.#slope * (count - last);
  }
}
