import assert from "node:assert/strict";
import { Rng } from "../../lib/random/mod.ts";
import { lengthInformation, type Lengths, outputPredictability } from "../../lib/workload/mod.ts";

function lengthsOf(pairs: readonly (readonly [number, number])[]): Lengths {
  return {
    promptTokens: Int32Array.from(pairs, ([prompt]) => prompt),
    outputTokens: Int32Array.from(pairs, ([, output]) => output),
  };
}

Deno.test("outputPredictability() computes the explained share by hand", () => {
  // Log2 of outputs: 0, 2 below and 4, 6 above. Means 1 and 5: 4 of 20 is missed.
  const lengths = lengthsOf([[1, 1], [9, 16], [1, 4], [9, 64]]);
  const { explainedShare, concordance } = outputPredictability(lengths, lengths, 2);
  assert.ok(Math.abs(explainedShare - 0.8) < 1e-12);
  // Pairs (0, 2) and (1, 3) have equal predictions: nothing to count.
  assert.ok(Number.isNaN(concordance));
});

Deno.test("outputPredictability() tells a prediction that harms from one that helps", () => {
  const rising = lengthsOf([[1, 2], [1, 2], [9, 32], [9, 32]]);
  const falling = lengthsOf([[1, 32], [1, 32], [9, 2], [9, 2]]);
  assert.deepEqual(outputPredictability(rising, rising, 2), { explainedShare: 1, concordance: 1 });
  const { explainedShare, concordance } = outputPredictability(rising, falling, 2);
  // Every prediction is off by log 16, twice the standard deviation: 1 - 4.
  assert.ok(Math.abs(explainedShare + 3) < 1e-12);
  assert.equal(concordance, 0);
});

Deno.test("lengthInformation() is the entropy where outputs follow prompts, 0 where they do not", () => {
  const rng = new Rng(1);
  const prompts = Array.from({ length: 20_000 }, () => 1 + rng.below(1000));
  const followed = lengthsOf(prompts.map((prompt) => [prompt, 2 * prompt] as const));
  // Ten equal ranges a side: ln 10, less the correction of 81 / 40,000.
  assert.ok(Math.abs(lengthInformation(followed, 10) - Math.log(10) + 81 / 40_000) < 0.005);
  const apart = lengthsOf(prompts.map((prompt) => [prompt, 1 + rng.below(1000)] as const));
  // The corrected estimate has a standard error of sqrt(81 / 2) / 20,000 = 0.0003.
  assert.ok(Math.abs(lengthInformation(apart, 10)) < 0.0015);
});
