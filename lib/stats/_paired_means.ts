import type { BlockDraw } from "./_block_draw.ts";
import { type Column, columnsOf, weightOf } from "./_columns.ts";
import type { PairedSample } from "./paired_block_bootstrap.ts";

/** A column with the sum of its values over the current draw, copies included. */
interface SummedColumn extends Column {
  sum: number;
}

/** The means under both policies in the current draw. */
export class PairedMeans {
  readonly #draw: BlockDraw;
  /** The columns of each run, those of both policies. */
  readonly #columnsByRun: readonly (readonly SummedColumn[])[];
  /** The column of each sample, `[samples]`. */
  readonly #baselines: readonly SummedColumn[];
  readonly #candidates: readonly SummedColumn[];

  /** Copies the values. */
  constructor(samples: readonly PairedSample[], draw: BlockDraw) {
    const summed = (policy: "baseline" | "candidate"): SummedColumn[] =>
      columnsOf(samples, policy, draw).map((column) => ({ ...column, sum: 0 }));
    const baselines = summed("baseline");
    const candidates = summed("candidate");
    this.#draw = draw;
    this.#columnsByRun = [
      ...Map.groupBy([...baselines, ...candidates], ({ run }) => run).values(),
    ];
    this.#baselines = bySample(baselines);
    this.#candidates = bySample(candidates);
  }

  /** The means over the `total` requests of the current draw: baseline, candidate. */
  compute(total: number): readonly [number, number] {
    for (const columns of this.#columnsByRun) {
      const { steps, drawCount } = columns[0]!.run;
      if (drawCount === 0) {
        for (const column of columns) column.sum = 0;
        continue;
      }
      const drawn = columns.filter((column) => weightOf(column, this.#draw) > 0);
      for (let k = 0; k < drawn.length; k += 4) addUpFour(steps, drawn.slice(k, k + 4));
    }
    return [this.#sum(this.#baselines) / total, this.#sum(this.#candidates) / total];
  }

  #sum(columnOf: readonly SummedColumn[]): number {
    const { sampleWeights } = this.#draw;
    let sum = 0;
    for (let s = 0; s < columnOf.length; s++) sum += sampleWeights[s]! * columnOf[s]!.sum;
    return sum;
  }
}

function bySample(columns: readonly SummedColumn[]): SummedColumn[] {
  const columnOf: SummedColumn[] = [];
  for (const column of columns) for (const sample of column.samples) columnOf[sample] = column;
  return columnOf;
}

/**
 * Sums up to four columns of a run, each in order of arrival. An addition waits for the one before
 * it in its own sum only, so four sums take hardly longer than one.
 */
function addUpFour(steps: Int32Array, columns: readonly SummedColumn[]): void {
  const a = columns[0]!;
  const [, b = a, c = a, d = a] = columns;
  const [valuesA, valuesB, valuesC, valuesD] = [a.values, b.values, c.values, d.values];
  let count = 0;
  let sumA = 0;
  let sumB = 0;
  let sumC = 0;
  let sumD = 0;
  for (let i = 0; i < steps.length; i++) {
    count += steps[i]!;
    sumA += count * valuesA[i]!;
    sumB += count * valuesB[i]!;
    sumC += count * valuesC[i]!;
    sumD += count * valuesD[i]!;
  }
  a.sum = sumA;
  b.sum = sumB;
  c.sum = sumC;
  d.sum = sumD;
}
