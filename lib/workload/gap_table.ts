/**
 * Gaps between arrivals as they were measured, neighbours alike.
 *
 * @module
 */
import { z } from "zod";
import type { Rng } from "../random/mod.ts";
import { mean, normalCdf, quantileSorted } from "../stats/mod.ts";

/** Normal scores that a table covers: beyond 4, one gap in 30,000, its ends hold. */
const MAX_SCORE = 4;

/** Shortest gap of a table in seconds: logarithms are taken, and traces have equal time stamps. */
const MIN_GAP_SECONDS = 1e-6;

/** Schema of {@linkcode GapTable}. */
export const gapTableSchema = z.strictObject({
  logGaps: z.array(z.number()).min(2).describe(
    "Logarithm of the gap over its mean, at equally spaced normal scores from -4 to 4, ascending",
  ),
  likeness: z.number().min(0).lt(1).describe("Correlation of neighbours' scores"),
  memoryGaps: z.number().positive().describe("Number of gaps over which it falls to 1 / e of that"),
}).refine(({ logGaps }) => logGaps.every((gap, i) => i === 0 || gap >= logGaps[i - 1]!), {
  message: "in ascending order",
  path: ["logGaps"],
});

/**
 * A distribution of gaps and how alike neighbours are. Gap `i` is `exp(logGaps(z_i))`, linear
 * between entries, where `z_i = sqrt(likeness) x_i + sqrt(1 - likeness) e_i` with independent
 * standard normal `e` and a first-order autoregressive `x`: a renewal process joined by a Gaussian
 * copula. The scores are standard normal whatever the likeness, so the gaps keep their distribution
 * (variation and idle time of a trace), and likeness clusters short gaps with short ones, which
 * makes bursts larger than chance.
 */
export type GapTable = z.infer<typeof gapTableSchema>;

/** Draws gaps of mean 1, endlessly. */
export function createGapTable(table: GapTable, rng: Rng): () => number {
  const { logGaps, likeness, memoryGaps } = table;
  const scale = 1 / meanGap(logGaps);
  const keep = Math.exp(-1 / memoryGaps);
  const renew = Math.sqrt(1 - keep * keep);
  const [shared, own] = [Math.sqrt(likeness), Math.sqrt(1 - likeness)];
  let slow = rng.normal();
  return () => {
    const score = shared * slow + own * rng.normal();
    slow = keep * slow + renew * rng.normal();
    return scale * gapAt(logGaps, score);
  };
}

/**
 * Tabulates observed gaps.
 *
 * @param gaps Seconds, `[n]`, each >= 0.
 * @param options Number of steps between normal scores, and how alike neighbours are.
 * @throws {RangeError} When there is no gap.
 *
 * @example
 * ```ts
 * import { fitGapTable } from "@signalbox/signalbox/workload";
 * import assert from "node:assert/strict";
 *
 * const { logGaps } = fitGapTable([1, 3], { steps: 2, likeness: 0, memoryGaps: 1 });
 * // The smallest, the median and the largest gap over their mean, 2.
 * assert.deepEqual(logGaps.map((gap) => Math.exp(gap).toFixed(2)), ["0.50", "1.00", "1.50"]);
 * ```
 */
export function fitGapTable(
  gaps: readonly number[],
  options: { readonly steps: number; readonly likeness: number; readonly memoryGaps: number },
): GapTable {
  const { steps, likeness, memoryGaps } = options;
  const sorted = Float64Array.from(gaps).sort();
  const average = mean(sorted);
  const logGaps = Array.from({ length: steps + 1 }, (_, step) => {
    const isEnd = step === 0 || step === steps;
    const level = isEnd ? step / steps : normalCdf(MAX_SCORE * (2 * step / steps - 1));
    const gap = Math.max(quantileSorted(sorted, level), MIN_GAP_SECONDS);
    return Math.round(1000 * Math.log(gap / average)) / 1000;
  });
  return { logGaps, likeness, memoryGaps };
}

function gapAt(logGaps: readonly number[], score: number): number {
  return Math.exp(quantileSorted(logGaps, Math.min(1, Math.max(0, (score / MAX_SCORE + 1) / 2))));
}

/** Steps of the sum that stands for the integral over scores: its error is far below the table's. */
const MEAN_STEPS = 4000;

/** Mean of the gaps over the normal scores, by which the draws are divided. */
function meanGap(logGaps: readonly number[]): number {
  let sum = 0;
  let before = 0;
  for (let step = 1; step <= MEAN_STEPS; step++) {
    const score = MAX_SCORE * (2 * step / MEAN_STEPS - 1);
    const level = step === MEAN_STEPS ? 1 : normalCdf(score);
    sum += (level - before) * gapAt(logGaps, score - MAX_SCORE / MEAN_STEPS);
    before = level;
  }
  return sum;
}
