import assert from "node:assert/strict";
import { getModel, shardModel } from "../../lib/hardware/mod.ts";
import { planKvBlocks, planVidurMemory } from "../../lib/simulator/mod.ts";

function options(name: string, tensorParallel: number, pipelineStages: number) {
  return {
    shard: shardModel(getModel(name), tensorParallel, pipelineStages),
    pipelineStages,
    gpuMemoryBytes: 80 * 1024 ** 3,
    memoryMarginFraction: 0.1,
    blockSize: 16,
    maxTokensPerRequest: 4096,
  };
}

Deno.test("planVidurMemory() gives the values checked against Vidur (spec/simulator.md section 3)", () => {
  const llama7b = "meta-llama/Llama-2-7b-hf";
  const llama70b = "meta-llama/Llama-2-70b-hf";
  const plans = [
    [llama7b, 1, 1, 29, 7424],
    [llama7b, 1, 2, 32, 16384],
    [llama7b, 2, 1, 65, 16640],
    [llama70b, 2, 1, 13, 3328],
    [llama70b, 2, 2, 64, 32768],
  ] as const;
  for (const [model, tensorParallel, stages, maxBatchSize, kvBlocks] of plans) {
    assert.deepEqual(
      planVidurMemory(options(model, tensorParallel, stages)),
      { maxBatchSize, kvBlocks },
    );
  }
});

Deno.test("planKvBlocks() counts the layers of one stage, the vocabulary, and no request slots", () => {
  // By hand, Llama-2-7b: 32 layers x (4 x 4096^2 + 3 x 4096 x 11008) weights = 6,476,005,376,
  // 2 x 32000 x 4096 = 262,144,000 for the vocabulary, two bytes each: 13,476,298,752 bytes. Of
  // 0.9 x 80 GiB = 77,309,411,328 there remain 63,833,112,576; a block takes
  // 16 tokens x 2 x 2 bytes x 4096 x 32 layers = 8,388,608: 7609.5 blocks.
  assert.equal(planKvBlocks(options("meta-llama/Llama-2-7b-hf", 1, 1)), 7609);
  // Two stages hold half the layers each, and one matrix of the vocabulary:
  // (77,309,411,328 - 6,476,005,376 - 262,144,000) / 4,194,304 = 16825.5.
  assert.equal(planKvBlocks(options("meta-llama/Llama-2-7b-hf", 1, 2)), 16825);
});
