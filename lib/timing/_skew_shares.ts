/**
 * How much the longest context slows down a batch of unequal decodes.
 *
 * @module
 */
import { TraceError } from "../support/mod.ts";
import { readCsv } from "./_read_csv.ts";

/**
 * Share `a` in `t = t_mean + a (t_max - t_mean)`, by number of decodes, where `t_mean` and `t_max`
 * are the times at the mean and at the longest context.
 */
export interface SkewShares {
  /** Index = decodes, batches without a prompt chunk. */
  readonly alone: Float64Array;
  /** Index = decodes, batches with one. */
  readonly mixed: Float64Array;
}

/** Shares that change nothing. */
export const NO_SKEW: SkewShares = { alone: Float64Array.of(0), mixed: Float64Array.of(0) };

/** The share of a batch; beyond the last measured number of decodes, the last one's. */
export function skewShare(shares: SkewShares, decodeCount: number, isMixed: boolean): number {
  const table = isMixed ? shares.mixed : shares.alone;
  return table[Math.min(decodeCount, table.length - 1)]!;
}

const COLUMNS = ["pc", "n_label", "skew_rate_label", "alpha", "n_samples"] as const;

/**
 * Batches with most contexts near the longest one: there `t_max` is close to `t_mean`, so that their
 * shares are large, noisy and without effect.
 */
const UNINFORMATIVE = "sr>70%";

/**
 * Pools the buckets of `skew_fit.csv` (prompt chunk, decodes, distribution, longest context, prompt
 * context) to the two that matter most, whether there is a chunk and how many decodes, weighted by
 * samples. Pooling gives up detail for times that do not jump between buckets.
 */
export async function readSkewShares(path: string): Promise<SkewShares> {
  const sums = [new Map<number, Sum>(), new Map<number, Sum>()] as const;
  for await (const row of readCsv(path, COLUMNS)) {
    const label = /^n<=(\d+)$/.exec(row.text("n_label"));
    if (label === null || row.text("skew_rate_label") === UNINFORMATIVE) continue;
    const byCount = sums[row.number("pc") > 0 ? 1 : 0];
    const count = Number(label[1]);
    const sum = byCount.get(count) ?? { weighted: 0, samples: 0 };
    const samples = row.number("n_samples");
    byCount.set(count, {
      weighted: sum.weighted + samples * row.number("alpha"),
      samples: sum.samples + samples,
    });
  }
  const [alone, mixed] = sums.map((byCount) => tabulate(byCount));
  if (alone === undefined || mixed === undefined) {
    throw new TraceError(path, 0, "it must have rows with and without a prompt chunk");
  }
  return { alone, mixed };
}

interface Sum {
  readonly weighted: number;
  readonly samples: number;
}

function tabulate(byCount: ReadonlyMap<number, Sum>): Float64Array | undefined {
  if (byCount.size === 0) return undefined;
  const measured = [...byCount].sort(([a], [b]) => a - b);
  return interpolateShares(
    measured.map(([count]) => count),
    measured.map(([, { weighted, samples }]) => Math.min(1, Math.max(0, weighted / samples))),
  );
}

/**
 * Shares by number of decodes, linear between given numbers; a single decode has no skew.
 *
 * @param counts Increasing numbers of decodes, >= 1.
 * @param shares Share of each, in [0, 1].
 */
export function interpolateShares(
  counts: readonly number[],
  shares: readonly number[],
): Float64Array {
  const table = new Float64Array(counts.at(-1)! + 1);
  let from = 1;
  for (const [k, to] of counts.entries()) {
    const start = table[from]!;
    for (let count = from + 1; count <= to; count++) {
      table[count] = start + (shares[k]! - start) * (count - from) / (to - from);
    }
    from = to;
  }
  return table;
}
