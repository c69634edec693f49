/**
 * How long outputs are to be expected.
 *
 * @module
 */
import { promptRanges, type Workload } from "../workload/mod.ts";

/** Outputs of one range of prompt lengths. */
interface OutputRange {
  /** Longest prompt of the range; the last range also holds all longer ones. */
  readonly maxPromptTokens: number;
  /** Output lengths in ascending order. */
  readonly outputTokens: Int32Array;
  /** Sum of the outputs from an index on, `[outputs + 1]`. */
  readonly sumFrom: Float64Array;
}

/** Ranges of prompt lengths, of about equal numbers of requests: few enough for smooth means. */
const RANGE_COUNT = 20;

/**
 * Conditional mean of the output length given the prompt length, learnt from past requests, and
 * what remains of it after so many tokens (the mean residual life). It is what a router can know
 * that reads logs but no minds.
 *
 * @example
 * ```ts
 * import { OutputLengthPredictor } from "@signalbox/signalbox/routing";
 * import assert from "node:assert/strict";
 *
 * const predictor = new OutputLengthPredictor({
 *   name: "four of one length",
 *   count: 4,
 *   arrivalSeconds: Float64Array.of(0, 1, 2, 3),
 *   promptTokens: Int32Array.of(100, 100, 100, 100),
 *   outputTokens: Int32Array.of(10, 20, 30, 100),
 * });
 * assert.equal(predictor.remainingTokens(100, 0), 40);
 * assert.equal(predictor.remainingTokens(100, 25), 40); // 30 and 100 are left: 65 in the mean
 * ```
 */
export class OutputLengthPredictor {
  readonly #ranges: readonly OutputRange[];

  /**
   * Learns from requests whose outputs are known.
   *
   * @throws {RangeError} When there are none.
   */
  constructor({ count, promptTokens, outputTokens }: Workload) {
    if (count < 1) {
      throw new RangeError(
        `Cannot learn output lengths: there must be at least one request, current count is ${count}`,
      );
    }
    this.#ranges = promptRanges(promptTokens, RANGE_COUNT).map(({ maxPromptTokens, indices }) => {
      const outputs = Int32Array.from(indices, (i) => outputTokens[i]!).sort();
      return { maxPromptTokens, outputTokens: outputs, sumFrom: suffixSums(outputs) };
    });
  }

  /**
   * Output tokens still to be expected.
   *
   * @param promptTokens Length of the prompt.
   * @param producedTokens Output tokens so far.
   * @returns Tokens, >= 1: a request that outlives all known ones is taken to be about to end.
   */
  remainingTokens(promptTokens: number, producedTokens: number): number {
    const { outputTokens, sumFrom } = this.#rangeOf(promptTokens);
    const first = firstAbove(outputTokens, producedTokens);
    const longer = outputTokens.length - first;
    return longer === 0 ? 1 : sumFrom[first]! / longer - producedTokens;
  }

  #rangeOf(promptTokens: number): OutputRange {
    const last = this.#ranges.length - 1;
    let range = 0;
    while (range < last && this.#ranges[range]!.maxPromptTokens < promptTokens) range++;
    return this.#ranges[range]!;
  }
}

function suffixSums(values: Int32Array): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (let i = values.length - 1; i >= 0; i--) sums[i] = sums[i + 1]! + values[i]!;
  return sums;
}

/** Index of the first value above `bound` in ascending order. */
function firstAbove(sorted: Int32Array, bound: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
