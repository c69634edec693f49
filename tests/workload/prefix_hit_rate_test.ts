import assert from "node:assert/strict";
import fc from "fast-check";
import { type PrefixHashes, prefixHitRate } from "../../lib/workload/mod.ts";

function prefixesOf(prompts: readonly (readonly number[])[]): PrefixHashes {
  const starts = new Int32Array(prompts.length + 1);
  prompts.forEach((prompt, i) => starts[i + 1] = starts[i]! + prompt.length);
  return { blockTokens: 512, starts, hashes: Int32Array.from(prompts.flat()) };
}

Deno.test("prefixHitRate() counts leading blocks only", () => {
  // The second finds 1 and 2, then misses 9, so that 3 does not count; the third begins anew.
  assert.equal(prefixHitRate(prefixesOf([[1, 2, 3], [1, 2, 9, 3], [3, 1]])), (2 + 2) / 9);
  assert.equal(prefixHitRate(prefixesOf([[5], [1, 5], [2, 5]])), 0);
});

Deno.test("prefixHitRate() loses the end of the prompt that was used longest ago first", () => {
  // Room for three: after 4 came, 1 and 2 are left of the first prompt.
  assert.equal(prefixHitRate(prefixesOf([[1, 2, 3], [4], [1, 2, 3]]), 3), 2 / 7);
  // A prompt larger than the cache leaves its beginning.
  assert.equal(prefixHitRate(prefixesOf([[1, 2, 3], [1, 2, 3]]), 2), 2 / 6);
  assert.equal(prefixHitRate(prefixesOf([[1, 2, 3], [1, 2, 3]]), 0), 0);
});

const prompts = fc.array(fc.array(fc.nat(12), { minLength: 1, maxLength: 6 }), { minLength: 1 });

Deno.test("prefixHitRate() grows with the cache and is 1 less the distinct first uses at most", () => {
  fc.assert(fc.property(prompts, fc.nat(20), fc.nat(20), (rows, capacity, more) => {
    const prefixes = prefixesOf(rows.map((row) => [...new Set(row)]));
    const rate = prefixHitRate(prefixes, capacity);
    assert.ok(rate >= 0 && rate <= prefixHitRate(prefixes));
    // Leading hits of a least-recently-used cache: what it holds is a part of what a larger holds.
    assert.ok(rate <= prefixHitRate(prefixes, capacity + more));
    const distinct = new Set(prefixes.hashes).size;
    assert.ok(prefixHitRate(prefixes) <= 1 - distinct / prefixes.hashes.length + 1e-12);
  }));
});
