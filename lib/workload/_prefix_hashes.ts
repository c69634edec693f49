/**
 * Rows of unequal length.
 *
 * @module
 */
import type { PrefixHashes } from "./workload.ts";

/** The rows from `from` to `to`, as views. */
export function sliceHashes(hashes: PrefixHashes, from: number, to: number): PrefixHashes {
  return { ...hashes, starts: hashes.starts.subarray(from, to + 1) };
}

/** The rows at the given indices. */
export function selectHashes(prefix: PrefixHashes, indices: readonly number[]): PrefixHashes {
  return collect(prefix, indices.map((i) => [prefix.starts[i]!, prefix.starts[i + 1]!]));
}

/** Each row as far as its prompt reaches now. */
export function cutHashes(prefix: PrefixHashes, promptTokens: Int32Array): PrefixHashes {
  const ranges = Array.from(promptTokens, (tokens, i): Range => {
    const start = prefix.starts[i]!;
    return [start, Math.min(prefix.starts[i + 1]!, start + Math.ceil(tokens / prefix.blockTokens))];
  });
  return collect(prefix, ranges);
}

type Range = readonly [start: number, end: number];

function collect({ blockTokens, hashes }: PrefixHashes, ranges: readonly Range[]): PrefixHashes {
  const starts = new Int32Array(ranges.length + 1);
  ranges.forEach(([start, end], i) => starts[i + 1] = starts[i]! + end - start);
  const collected = new Int32Array(starts[ranges.length]!);
  ranges.forEach(([start, end], i) => collected.set(hashes.subarray(start, end), starts[i]));
  return { blockTokens, starts, hashes: collected };
}
