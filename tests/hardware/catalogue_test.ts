import assert from "node:assert/strict";
import { ConfigError } from "../../lib/support/mod.ts";
import { getGpu, getModel, gpuNames, modelNames } from "../../lib/hardware/mod.ts";

Deno.test("getModel() returns the architecture of every listed name", () => {
  assert.equal(new Set(modelNames).size, modelNames.length);
  for (const name of modelNames) {
    const model = getModel(name);
    assert.equal(model.name, name);
    assert.equal(model.qHeads % model.kvHeads, 0, name);
    assert.equal(model.headDim % 2, 0, name);
  }
});

Deno.test("getModel() gives parameter counts that the model names promise", () => {
  // Billions of weights as the publishers state them (model cards); embeddings counted twice.
  const published: Record<string, number> = {
    "meta-llama/Llama-2-7b-hf": 6.74,
    "meta-llama/Llama-2-70b-hf": 69.0,
    "meta-llama/Llama-3.1-8B": 8.03,
    "microsoft/phi-2": 2.78,
    "Qwen/Qwen-72B": 72.3,
    "Qwen/Qwen3-32B": 32.8,
    "internlm/internlm2-20b": 19.9,
    "codellama/CodeLlama-34b-Instruct-hf": 33.7,
  };
  for (const [name, billions] of Object.entries(published)) {
    const m = getModel(name);
    const perLayer = m.embeddingDim * m.headDim * (2 * m.qHeads + 2 * m.kvHeads) +
      (m.gatedMlp ? 3 : 2) * m.embeddingDim * m.mlpHiddenDim;
    const total = (perLayer * m.layers + 2 * m.vocabSize * m.embeddingDim) / 1e9;
    // Norms and biases are left out: far below 1 %.
    assert.ok(Math.abs(total / billions - 1) < 0.01, `${name}: ${total} against ${billions}`);
  }
});

Deno.test("getModel() lists the models there are when the name is unknown", () => {
  assert.throws(() => getModel("gpt-2"), (error: unknown) => {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.field, "model");
    assert.match(error.message, /model must be one of meta-llama\/Llama-2-7b-hf, .*"gpt-2"$/);
    return true;
  });
});

Deno.test("getGpu() returns figures in bytes and FLOP per second", () => {
  assert.deepEqual(gpuNames, ["a40", "a100", "h100", "rtx4090", "rtxpro6000"]);
  for (const name of gpuNames) {
    const gpu = getGpu(name);
    assert.equal(gpu.name, name);
    assert.ok(gpu.fp16FlopsPerSecond > 1e14 && gpu.fp16FlopsPerSecond < 1e16, name);
    assert.ok(gpu.memoryBytes > 2 ** 34 && gpu.memoryBytes < 2 ** 38, name);
    assert.ok(gpu.memoryBandwidthBytesPerSecond > 5e11, name);
    assert.ok(gpu.linkBandwidthBytesPerSecond < gpu.memoryBandwidthBytesPerSecond, name);
    assert.ok(gpu.source.length > 0, name);
  }
});

Deno.test("getGpu() lists the GPUs there are when the name is unknown", () => {
  assert.throws(() => getGpu("a1000"), {
    name: "ConfigError",
    message:
      'Cannot use this configuration: gpu must be one of a40, a100, h100, rtx4090, rtxpro6000, current value is "a1000"',
  });
});
