/**
 * What a cache of prompt prefixes would find.
 *
 * @module
 */
import type { PrefixHashes } from "./workload.ts";

/**
 * Share of the prompts' blocks that a cache holds on arrival: of every prompt the leading blocks up
 * to the first one that is missing. The cache is one for all requests, keeps the blocks used last
 * (the beginning of a prompt longest, as vLLM frees a request's blocks from its end), and has a
 * prompt's blocks as soon as it arrives.
 *
 * @param prefixes Blocks of the prompts in order of arrival.
 * @param capacityBlocks Blocks the cache holds, an integer >= 0; no limit by default.
 * @returns In [0, 1]; `NaN` without blocks.
 *
 * @example
 * ```ts
 * import { prefixHitRate } from "@signalbox/signalbox/workload";
 * import assert from "node:assert/strict";
 *
 * const prefixes = {
 *   blockTokens: 512,
 *   starts: Int32Array.of(0, 2, 5),
 *   hashes: Int32Array.of(7, 8, 7, 8, 9),
 * };
 * assert.equal(prefixHitRate(prefixes), 2 / 5);
 * assert.equal(prefixHitRate(prefixes, 0), 0);
 * ```
 */
export function prefixHitRate(prefixes: PrefixHashes, capacityBlocks = Infinity): number {
  const { starts, hashes } = prefixes;
  /** In order of use, the longest unused first. */
  const cache = new Set<number>();
  let hits = 0;
  for (let request = 0; request + 1 < starts.length; request++) {
    const [start, end] = [starts[request]!, starts[request + 1]!];
    for (let i = start; i < end && cache.has(hashes[i]!); i++) hits++;
    for (let i = end - 1; i >= start; i--) {
      cache.delete(hashes[i]!);
      cache.add(hashes[i]!);
    }
    let surplus = cache.size - capacityBlocks;
    if (surplus <= 0) continue;
    for (const oldest of cache) {
      cache.delete(oldest);
      if (--surplus <= 0) break;
    }
  }
  return hits / (starts[starts.length - 1]! - starts[0]!);
}
