import assert from "node:assert/strict";
import { getGpu, getModel, shardModel } from "../../lib/hardware/mod.ts";
import {
  batchFlops,
  buildCluster,
  clusterSchema,
  countStageFlops,
} from "../../lib/simulator/mod.ts";

const llama = getModel("meta-llama/Llama-2-7b-hf");
const a100 = getGpu("a100");

Deno.test("countStageFlops() counts two operations a weight, four a head dimension and pair", () => {
  const stage = countStageFlops(llama, shardModel(llama, 1, 1), a100);
  // 32 layers of 4 x 4096^2 attention and 3 x 4096 x 11008 MLP weights; 32 heads of 128.
  assert.equal(stage.perToken, 2 * 32 * (4 * 4096 ** 2 + 3 * 4096 * 11008));
  assert.equal(stage.perPair, 4 * 32 * 32 * 128);
  assert.equal(stage.peakPerSecond, 312e12);
});

Deno.test("countStageFlops() divides a model's operations among its GPUs", () => {
  const whole = countStageFlops(llama, shardModel(llama, 1, 1), a100);
  const part = countStageFlops(llama, shardModel(llama, 2, 4), a100);
  assert.equal(part.perToken * 8, whole.perToken);
  assert.equal(part.perPair * 8, whole.perPair);
});

Deno.test("batchFlops() is the same for a prompt whole or in chunks, but for masked pairs", () => {
  const shape = {
    requestCount: 1,
    decodeCount: 0,
    decodeContextTokens: 0,
    maxDecodeContextTokens: 0,
    prefillCount: 1,
  };
  const stage = { perToken: 7, perPair: 3, peakPerSecond: 1 };
  const flops = (context: number, chunk: number): number =>
    batchFlops(stage, {
      ...shape,
      totalTokens: chunk,
      prefillContextTokens: [context],
      prefillChunkTokens: [chunk],
    });
  assert.equal(flops(0, 10), 7 * 10 + 3 * 10 * 10);
  // The first six tokens do not see the last four.
  assert.equal(flops(0, 10) - flops(0, 6) - flops(6, 4), 3 * 6 * 4);
});

Deno.test("buildCluster() says what every stage computes", () => {
  const config = clusterSchema.parse({ replicas: [{ gpu: "a100", pipelineStages: 2 }] });
  assert.deepEqual(
    buildCluster(config)[0]!.flops,
    countStageFlops(llama, shardModel(llama, 1, 2), a100),
  );
});
