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
    let next = 0;
    for (let count = 0; count <= last; count++) {
      while (counts[next]! < count) next++;
      const [from, to] = [counts[next - 1], counts[next]!];
      const share = from === undefined ? 1 : (count - from) / (to - from);
      const low = next === 0 ? smooth[0]! : smooth[next - 1]!;
      this.#seconds[count] = low + share * (smooth[next]! - low);
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
