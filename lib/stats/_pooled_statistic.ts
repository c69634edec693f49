import type { BlockDraw } from "./_block_draw.ts";
import { mean } from "./moments.ts";
import type { BootstrapStatistic } from "./paired_block_bootstrap.ts";
import { quantile } from "./quantile.ts";

/** A statistic of pooled samples; they are sorted once, which makes every resample cheap. */
export class PooledStatistic {
  /** Values of the samples, one array a sample. */
  readonly #samples: readonly Float64Array[];
  readonly #statistic: BootstrapStatistic;
  /** All values in descending order (quantiles only): sample and position in it. */
  readonly #sampleOf: Uint32Array;
  readonly #positionOf: Uint32Array;

  /** Copies the samples. */
  constructor(samples: readonly ArrayLike<number>[], statistic: BootstrapStatistic) {
    this.#samples = samples.map((sample) => Float64Array.from(sample));
    this.#statistic = statistic;
    const entries = statistic === "mean"
      ? []
      : this.#samples.flatMap((sample, s) => Array.from(sample, (value, i) => ({ value, s, i })));
    entries.sort((a, b) => b.value - a.value);
    this.#sampleOf = Uint32Array.from(entries, (entry) => entry.s);
    this.#positionOf = Uint32Array.from(entries, (entry) => entry.i);
  }

  /** The statistic of the pooled samples themselves. */
  estimate(): number {
    const pooled = this.#samples.flatMap((sample) => Array.from(sample));
    return this.#statistic === "mean" ? mean(pooled) : quantile(pooled, this.#statistic.quantile);
  }

  /** The statistic of a resample of `total` requests. */
  compute(draw: BlockDraw, total: number): number {
    return this.#statistic === "mean"
      ? this.#mean(draw, total)
      : this.#quantile(draw, total, this.#statistic.quantile);
  }

  #mean({ sampleWeights, requestCounts }: BlockDraw, total: number): number {
    let weighted = 0;
    for (let s = 0; s < this.#samples.length; s++) {
      if (sampleWeights[s] === 0) continue;
      const values = this.#samples[s]!;
      const counts = requestCounts[s]!;
      let part = 0;
      for (let i = 0; i < values.length; i++) part += counts[i]! * values[i]!;
      weighted += sampleWeights[s]! * part;
    }
    return weighted / total;
  }

  /**
   * Definition 7 of Hyndman and Fan on the resample written out: walks down from its top until the
   * rank below the quantile is passed, which for p99 is after a hundredth of the values.
   */
  #quantile(
    { sampleWeights, requestCounts }: BlockDraw,
    total: number,
    probability: number,
  ): number {
    const position = (total - 1) * probability;
    const below = Math.floor(position);
    let upper = Number.NaN;
    let lower = Number.NaN;
    let rank = total; // rank of the lowest copy of the value visited last
    for (let k = 0; rank > below; k++) {
      const s = this.#sampleOf[k]!;
      const i = this.#positionOf[k]!;
      const weight = sampleWeights[s]! * requestCounts[s]![i]!;
      if (weight === 0) continue;
      rank -= weight;
      lower = this.#samples[s]![i]!;
      if (Number.isNaN(upper) && rank <= below + 1) upper = lower;
    }
    return lower + (position - below) * (upper - lower);
  }
}
