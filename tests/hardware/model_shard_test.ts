import assert from "node:assert/strict";
import { getModel, shardModel } from "../../lib/hardware/mod.ts";

Deno.test("shardModel() counts weights as Vidur's memory planner does", () => {
  // spec/simulator.md section 3, by hand: 4096*128*(32+64) + 4096*128*32 and 3*4096*11008.
  const whole = shardModel(getModel("meta-llama/Llama-2-7b-hf"), 1, 1);
  assert.equal(whole.attentionParameters, 50331648 + 16777216);
  assert.equal(whole.mlpParameters, 135266304);
  assert.equal(whole.layersPerStage, 32);
});

Deno.test("shardModel() splits heads, MLP and layers", () => {
  const shard = shardModel(getModel("meta-llama/Llama-2-70b-hf"), 2, 4);
  assert.equal(shard.layersPerStage, 20);
  assert.equal(shard.qHeads, 32);
  assert.equal(shard.kvHeads, 4);
  // 2 bytes x (K and V) x 4 heads x 128.
  assert.equal(shard.kvBytesPerTokenLayer, 2048);
  assert.equal(shard.mlpParameters, 3 * 8192 * 28672 / 2);
});

Deno.test("shardModel() replicates key/value heads when there are more GPUs than heads", () => {
  assert.equal(shardModel(getModel("meta-llama/Meta-Llama-3-8B"), 16, 1).kvHeads, 1);
});

Deno.test("shardModel() refuses a split that does not come out even", () => {
  const model = getModel("meta-llama/Llama-2-7b-hf");
  assert.throws(() => shardModel(model, 3, 1), {
    name: "ConfigError",
    field: "tensorParallel",
    message: /a positive divisor of the 32 query heads, current value is 3$/,
  });
  assert.throws(() => shardModel(model, 1, 5), { name: "ConfigError", field: "pipelineStages" });
  assert.throws(() => shardModel(model, 0, 1), { name: "ConfigError", field: "tensorParallel" });
  assert.throws(() => shardModel(model, 1, 1.5), { name: "ConfigError", field: "pipelineStages" });
});

Deno.test("shardModel() refuses tensor parallelism where the model has none", () => {
  assert.throws(() => shardModel(getModel("microsoft/phi-2"), 2, 1), {
    name: "ConfigError",
    message: /tensorParallel must be 1 for microsoft\/phi-2/,
  });
});
