/**
 * How much prompts say about outputs.
 *
 * @module
 */
import { lowerBound, mean, quantileSorted } from "../stats/mod.ts";
import type { Workload } from "./workload.ts";

/** Columns of a workload that predictions need. */
export type Lengths = Pick<Workload, "promptTokens" | "outputTokens">;

/** How well the prompt predicts the output. */
export interface OutputPredictability {
  /** Share of the variance of the log output that the prediction explains; below 0 if it harms. */
  readonly explainedShare: number;
  /**
   * Share of the pairs of requests with different outputs and predictions whose longer output is
   * predicted longer; 0.5 by chance. What a shortest-first router lives on.
   */
  readonly concordance: number;
}

/**
 * Predicts the log output as the mean of its range of prompt lengths, learnt from other requests.
 *
 * @param train Requests to learn from.
 * @param test Requests to predict, none of them in `train`. Concordance is taken over the pairs
 *   `(i, i + n / 2)`.
 * @param ranges Ranges of prompt lengths of about equal numbers of requests, an integer >= 1.
 *
 * @example
 * ```ts
 * import { outputPredictability } from "@signalbox/signalbox/workload";
 * import assert from "node:assert/strict";
 *
 * const lengths = {
 *   promptTokens: Int32Array.of(1, 1, 9, 9),
 *   outputTokens: Int32Array.of(5, 5, 70, 70),
 * };
 * assert.deepEqual(outputPredictability(lengths, lengths, 2), {
 *   explainedShare: 1,
 *   concordance: 1,
 * });
 * ```
 */
export function outputPredictability(
  train: Lengths,
  test: Lengths,
  ranges: number,
): OutputPredictability {
  const edges = equalEdges(train.promptTokens, ranges);
  const sums = new Float64Array(edges.length + 1);
  const counts = new Float64Array(edges.length + 1);
  train.promptTokens.forEach((prompt, i) => {
    const range = lowerBound(edges, prompt);
    sums[range]! += Math.log(train.outputTokens[i]!);
    counts[range]!++;
  });
  const overall = mean(Array.from(train.outputTokens, Math.log));
  const predicted = Array.from(test.promptTokens, (prompt) => {
    const range = lowerBound(edges, prompt);
    return counts[range]! > 0 ? sums[range]! / counts[range]! : overall;
  });
  const actual = Array.from(test.outputTokens, Math.log);
  const centre = mean(actual);
  let missed = 0;
  let total = 0;
  actual.forEach((value, i) => {
    missed += (value - predicted[i]!) ** 2;
    total += (value - centre) ** 2;
  });
  return {
    explainedShare: 1 - missed / total,
    concordance: concordance(actual, predicted),
  };
}

/**
 * Mutual information of prompt and output length on a grid of about equal shares, in nats, less the
 * bias of a finite sample (Miller and Madow: `(rows - 1) (columns - 1) / 2n`).
 *
 * @param lengths Requests.
 * @param ranges Ranges a side, an integer >= 1.
 */
export function lengthInformation(lengths: Lengths, ranges: number): number {
  const { promptTokens, outputTokens } = lengths;
  const [rowEdges, columnEdges] = [
    equalEdges(promptTokens, ranges),
    equalEdges(outputTokens, ranges),
  ];
  const [rows, columns] = [rowEdges.length + 1, columnEdges.length + 1];
  const joint = new Float64Array(rows * columns);
  const rowCounts = new Float64Array(rows);
  const columnCounts = new Float64Array(columns);
  promptTokens.forEach((prompt, i) => {
    const row = lowerBound(rowEdges, prompt);
    const column = lowerBound(columnEdges, outputTokens[i]!);
    joint[row * columns + column]!++;
    rowCounts[row]!++;
    columnCounts[column]!++;
  });
  const count = promptTokens.length;
  let nats = 0;
  joint.forEach((cell, i) => {
    if (cell === 0) return;
    const chance = rowCounts[Math.floor(i / columns)]! * columnCounts[i % columns]!;
    nats += cell / count * Math.log(cell * count / chance);
  });
  return nats - (rows - 1) * (columns - 1) / (2 * count);
}

/** Distinct upper edges of ranges of about equal numbers of values, but for the last range's. */
function equalEdges(values: ArrayLike<number>, ranges: number): number[] {
  const sorted = Float64Array.from(values).sort();
  const edges = Array.from(
    { length: ranges - 1 },
    (_, i) => quantileSorted(sorted, (i + 1) / ranges),
  );
  return [...new Set(edges)].filter((edge) => edge < sorted[sorted.length - 1]!);
}

function concordance(actual: readonly number[], predicted: readonly number[]): number {
  const half = Math.floor(actual.length / 2);
  let right = 0;
  let pairs = 0;
  for (let i = 0; i < half; i++) {
    const product = (actual[i]! - actual[i + half]!) * (predicted[i]! - predicted[i + half]!);
    if (product === 0) continue;
    pairs++;
    if (product > 0) right++;
  }
  return right / pairs;
}
