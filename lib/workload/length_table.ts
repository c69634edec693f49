/**
 * Lengths as they were measured: tokenQuantiles of prompts, and of outputs given the prompt.
 *
 * @module
 */
import { z } from "zod";
import type { Rng } from "../random/mod.ts";
import { quantileSorted } from "../stats/mod.ts";
import { promptRanges } from "./prompt_ranges.ts";

/** Quantiles of a number of tokens at equally spaced levels from 0 to 1. */
export const tokenQuantiles = z.array(z.number().int().positive()).min(2).refine(
  (values) => values.every((value, i) => i === 0 || value >= values[i - 1]!),
  "in ascending order",
);

/** Schema of {@linkcode LengthTable}. */
export const lengthTableSchema = z.strictObject({
  promptTokens: tokenQuantiles.describe(
    "Quantiles of the prompt length at equally spaced levels, 0 to 1",
  ),
  outputTokensByPrompt: z.array(z.strictObject({
    maxPromptTokens: z.number().int().positive(),
    outputTokens: tokenQuantiles,
  })).min(1).describe("Quantiles of the output length, by prompt length"),
});

/**
 * A joint distribution of prompt and output lengths. Prompt lengths predict output lengths in real
 * traffic, and that is what a router can learn, so outputs are tabulated per range of prompts:
 * `outputTokensByPrompt[i]` holds for prompts above the range before it, up to `maxPromptTokens`;
 * the last also holds beyond. All quantiles are at equally spaced levels from 0 to 1, in tokens.
 */
export type LengthTable = z.infer<typeof lengthTableSchema>;

/**
 * Draws one request by inversion: the prompt from its quantiles, then the output from those of the
 * prompt's range, both linear between quantiles and rounded.
 *
 * @returns Prompt and output tokens, each >= 1.
 */
export function sampleLengthTable(table: LengthTable, rng: Rng): [number, number] {
  return lengthsAt(table, rng.uniform(), rng.uniform());
}

/** The prompt at a level, and the output at a level among those of its range. */
export function lengthsAt(
  table: LengthTable,
  promptLevel: number,
  outputLevel: number,
): [number, number] {
  const promptTokens = Math.round(quantileSorted(table.promptTokens, promptLevel));
  const ranges = table.outputTokensByPrompt;
  let low = 0;
  let high = ranges.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.maxPromptTokens < promptTokens) low = middle + 1;
    else high = middle;
  }
  return [promptTokens, Math.round(quantileSorted(ranges[low]!.outputTokens, outputLevel))];
}

/** Resolution of {@linkcode fitLengthTable}. */
export interface LengthTableOptions {
  /** Steps between prompt quantiles. */
  readonly promptSteps: number;
  /** Ranges of prompt lengths, of about equal numbers of requests. */
  readonly ranges: number;
  /** Steps between output quantiles in each range. */
  readonly outputSteps: number;
}

/**
 * Tabulates the lengths of observed requests.
 *
 * @param promptTokens Prompt lengths, `[n]`.
 * @param outputTokens Output lengths of the same requests, `[n]`.
 * @throws {RangeError} When there are fewer requests than ranges, or the columns differ in length.
 *
 * @example
 * ```ts
 * import { fitLengthTable } from "@signalbox/signalbox/workload";
 * import assert from "node:assert/strict";
 *
 * const table = fitLengthTable([10, 10, 99, 99], [1, 3, 50, 70], {
 *   promptSteps: 1,
 *   ranges: 2,
 *   outputSteps: 2,
 * });
 * assert.deepEqual(table.outputTokensByPrompt, [
 *   { maxPromptTokens: 10, outputTokens: [1, 2, 3] },
 *   { maxPromptTokens: 99, outputTokens: [50, 60, 70] },
 * ]);
 * ```
 */
export function fitLengthTable(
  promptTokens: ArrayLike<number>,
  outputTokens: ArrayLike<number>,
  options: LengthTableOptions,
): LengthTable {
  const { promptSteps, ranges, outputSteps } = options;
  const count = promptTokens.length;
  if (outputTokens.length !== count || count < ranges) {
    throw new RangeError(
      `Cannot fit a length table: there must be >= ${ranges} prompts and as many outputs, current numbers are ${count}, ${outputTokens.length}`,
    );
  }
  const tabulate = (values: number[], steps: number): number[] =>
    tabulateTokens(values.sort((a, b) => a - b), steps);
  const outputTokensByPrompt = promptRanges(promptTokens, ranges)
    .map(({ maxPromptTokens, indices }) => ({
      maxPromptTokens,
      outputTokens: tabulate(indices.map((i) => outputTokens[i]!), outputSteps),
    }));
  return { promptTokens: tabulate(Array.from(promptTokens), promptSteps), outputTokensByPrompt };
}

/**
 * Rounded quantiles of a sorted sample at levels `0, 1 / steps, ..., 1`.
 *
 * @throws {RangeError} When the sample is empty.
 */
export function tabulateTokens(sorted: readonly number[], steps: number): number[] {
  return Array.from(
    { length: steps + 1 },
    (_, step) => Math.round(quantileSorted(sorted, step / steps)),
  );
}
