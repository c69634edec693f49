import type { BlockDraw, EvaluationRun } from "./_block_draw.ts";
import { type Column, columnsOf, weightOf } from "./_columns.ts";
import { concatenate } from "./_concatenate.ts";
import { lowerBound } from "./lower_bound.ts";
import type { PairedSample } from "./paired_block_bootstrap.ts";

/** All values under one policy, sorted once and not in every draw. */
interface Ranking {
  readonly columns: readonly Column[];
  /** How often each column's training seeds are in the current draw, `[columns]`. */
  readonly weights: Float64Array;
  /** How often each request of a column's run is in the current draw, `[columns]`. */
  readonly counts: readonly Int32Array[];
  /** Values in ascending order, `[values]`. */
  readonly sorted: Float64Array;
  /** The column of each sorted value, and its request. */
  readonly columnOf: Uint32Array;
  readonly requestOf: Uint32Array;
}

/** A quantile under both policies in the current draw. */
export class PairedQuantiles {
  readonly #draw: BlockDraw;
  readonly #probability: number;
  /** How often each request of a run is in the current draw. */
  readonly #counts: ReadonlyMap<EvaluationRun, Int32Array>;
  readonly #baseline: Ranking;
  readonly #candidate: Ranking;

  /** Sorts copies of the values. */
  constructor(samples: readonly PairedSample[], draw: BlockDraw, probability: number) {
    this.#draw = draw;
    this.#probability = probability;
    this.#counts = new Map(draw.runs.map((run) => [run, new Int32Array(run.steps.length)]));
    this.#baseline = rank(columnsOf(samples, "baseline", draw), this.#counts);
    this.#candidate = rank(columnsOf(samples, "candidate", draw), this.#counts);
  }

  /** The quantiles over the `total` requests of the current draw: baseline, candidate. */
  compute(total: number): readonly [number, number] {
    for (const [{ steps, drawCount }, counts] of this.#counts) {
      if (drawCount === 0) counts.fill(0);
      else accumulate(steps, counts);
    }
    return [this.#select(this.#baseline, total), this.#select(this.#candidate, total)];
  }

  /**
   * Definition 7 of Hyndman and Fan on the resample written out: walks down from its top until the
   * rank below the quantile is passed, which for p99 is after a hundredth of the values.
   */
  #select(
    { columns, weights, counts, sorted, columnOf, requestOf }: Ranking,
    total: number,
  ): number {
    columns.forEach((column, index) => weights[index] = weightOf(column, this.#draw));
    const position = (total - 1) * this.#probability;
    const below = Math.floor(position);
    let upper = Number.NaN;
    let lower = Number.NaN;
    let rank = total; // rank of the lowest copy of the value visited last
    for (let k = sorted.length - 1; rank > below; k--) {
      const column = columnOf[k]!;
      const copies = weights[column]! * counts[column]![requestOf[k]!]!;
      if (copies === 0) continue;
      rank -= copies;
      lower = sorted[k]!;
      if (Number.isNaN(upper) && rank <= below + 1) upper = lower;
    }
    return lower + (position - below) * (upper - lower);
  }
}

/** Running sums of `steps`. */
function accumulate(steps: Int32Array, counts: Int32Array): void {
  let count = 0;
  for (let i = 0; i < steps.length; i++) counts[i] = count += steps[i]!;
}

function rank(
  columns: readonly Column[],
  counts: ReadonlyMap<EvaluationRun, Int32Array>,
): Ranking {
  const sorted = concatenate(columns.map(({ values }) => values)).sort();
  const columnOf = new Uint32Array(sorted.length);
  const requestOf = new Uint32Array(sorted.length);
  // Bare numbers sort fast; each finds its place among them, equal ones next to each other.
  const placed = new Uint32Array(sorted.length);
  columns.forEach(({ values }, column) => {
    for (let request = 0; request < values.length; request++) {
      const first = lowerBound(sorted, values[request]!);
      const place = first + placed[first]!++;
      columnOf[place] = column;
      requestOf[place] = request;
    }
  });
  return {
    columns,
    weights: new Float64Array(columns.length),
    counts: columns.map(({ run }) => counts.get(run)!),
    sorted,
    columnOf,
    requestOf,
  };
}
