import { promptRanges } from "@signalbox/signalbox/workload";
import assert from "node:assert/strict";
import fc from "fast-check";

Deno.test("promptRanges() holds every request once, in ranges that share no length", () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 60 });
  fc.assert(fc.property(lengths, fc.integer({ min: 1, max: 8 }), (promptTokens, count) => {
    const ranges = promptRanges(promptTokens, count);
    assert.ok(ranges.length <= count);
    const held = ranges.flatMap(({ indices }) => indices);
    assert.deepEqual(held.toSorted((a, b) => a - b), promptTokens.map((_, i) => i));
    let longestBefore = 0;
    for (const { maxPromptTokens, indices } of ranges) {
      const own = indices.map((i) => promptTokens[i]!);
      assert.ok(own.every((tokens) => tokens > longestBefore));
      assert.equal(Math.max(...own), maxPromptTokens);
      longestBefore = maxPromptTokens;
    }
  }));
});

Deno.test("promptRanges() divides lengths that all differ in equal numbers", () => {
  const ranges = promptRanges(Int32Array.of(6, 1, 5, 2, 4, 3), 3);
  assert.deepEqual(ranges.map(({ maxPromptTokens }) => maxPromptTokens), [2, 4, 6]);
  assert.deepEqual(ranges.map(({ indices }) => indices), [[1, 3], [5, 4], [2, 0]]);
});
