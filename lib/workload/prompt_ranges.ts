/**
 * Requests divided by the length of their prompts.
 *
 * @module
 */

/** Requests of one range of prompt lengths. */
export interface PromptRange {
  /** Longest prompt of the range, in tokens. */
  readonly maxPromptTokens: number;
  /** Requests, by prompt length. */
  readonly indices: readonly number[];
}

/**
 * Divides requests in ranges of prompt lengths with about equal numbers of requests. Prompts of one
 * length share a range, so that there may be fewer ranges than asked for.
 *
 * @param promptTokens Prompt lengths, `[n]`.
 * @param count Ranges, an integer >= 1.
 * @returns Ranges in ascending order; together they hold every request once.
 *
 * @example
 * ```ts
 * import { promptRanges } from "@signalbox/signalbox/workload";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(promptRanges([30, 10, 10, 20], 3), [
 *   { maxPromptTokens: 10, indices: [1, 2] },
 *   { maxPromptTokens: 20, indices: [3] },
 *   { maxPromptTokens: 30, indices: [0] },
 * ]);
 * ```
 */
export function promptRanges(promptTokens: ArrayLike<number>, count: number): PromptRange[] {
  const requests = promptTokens.length;
  const order = Array.from({ length: requests }, (_, i) => i)
    .sort((a, b) => promptTokens[a]! - promptTokens[b]! || a - b);
  const ranges: PromptRange[] = [];
  let start = 0;
  for (let range = 1; range <= count; range++) {
    let end = Math.round((range * requests) / count);
    if (end <= start) continue;
    const maxPromptTokens = promptTokens[order[end - 1]!]!;
    while (end < requests && promptTokens[order[end]!] === maxPromptTokens) end++;
    ranges.push({ maxPromptTokens, indices: order.slice(start, end) });
    start = end;
  }
  return ranges;
}
