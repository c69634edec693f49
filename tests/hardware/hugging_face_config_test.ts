// deno-lint-ignore-file camelcase -- the names are those of the files
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  getGpu,
  getModel,
  type ModelSpec,
  parseHuggingFaceConfig,
  shardModel,
} from "../../lib/hardware/mod.ts";
import { createAnalyticTimer } from "../../lib/timing/mod.ts";
import { batchShape } from "../timing/_batch_shape.ts";
import { FREE } from "../../data/tools/_fit.ts";

const shared = fileURLToPath(
  new URL("../../../shared/profiling/llmservingsim/models", import.meta.url),
);

/** The published config.json of Mixtral-8x7B-v0.1, as far as it is read. */
const MIXTRAL = {
  model_type: "mixtral",
  hidden_size: 4096,
  intermediate_size: 14336,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  num_local_experts: 8,
  num_experts_per_tok: 2,
  sliding_window: null,
  vocab_size: 32000,
  max_position_embeddings: 32768,
};

/** The published config.json of Qwen3-30B-A3B, as far as it is read. */
const QWEN_MOE = {
  model_type: "qwen3_moe",
  hidden_size: 2048,
  intermediate_size: 6144,
  moe_intermediate_size: 768,
  num_hidden_layers: 48,
  num_attention_heads: 32,
  num_key_value_heads: 4,
  head_dim: 128,
  num_experts: 128,
  num_experts_per_tok: 8,
  mlp_only_layers: [],
  decoder_sparse_step: 1,
  sliding_window: null,
  vocab_size: 151936,
  max_position_embeddings: 40960,
};

/** Weights that are stored and that one token passes, in billions, output matrix and embedding too. */
function billions(model: ModelSpec): [stored: number, active: number] {
  const shard = shardModel(model, 1, 1);
  const shared = model.layers * shard.attentionParameters + 2 * shard.vocabularyParameters;
  return [
    (shared + model.layers * shard.mlpParameters) / 1e9,
    (shared + model.layers * shard.activeMlpParameters) / 1e9,
  ];
}

Deno.test("parseHuggingFaceConfig() gives mixtures of experts their published sizes", () => {
  // 46.7B parameters of which 12.9B are active: Mixtral of Experts (arXiv 2401.04088).
  const [stored, active] = billions(parseHuggingFaceConfig(MIXTRAL, "mixtral"));
  assert.ok(Math.abs(stored - 46.7) < 0.05 && Math.abs(active - 12.9) < 0.05);
  // 30.5B of which 3.3B: the model card.
  const [storedQwen, activeQwen] = billions(parseHuggingFaceConfig(QWEN_MOE, "qwen"));
  assert.ok(Math.abs(storedQwen - 30.5) < 0.05 && Math.abs(activeQwen - 3.3) < 0.06);
});

Deno.test("parseHuggingFaceConfig() reads text_config, names and experts that all tokens pass", () => {
  const nested = parseHuggingFaceConfig({ model_type: "outer", text_config: MIXTRAL });
  assert.equal(nested.name, "mixtral");
  assert.equal(nested.mlpHiddenDim, 0);
  const withShared = { ...QWEN_MOE, shared_expert_intermediate_size: 5632 };
  assert.equal(parseHuggingFaceConfig(withShared).mlpHiddenDim, 5632);
  const named = parseHuggingFaceConfig({ ...MIXTRAL, _name_or_path: "mistralai/Mixtral" });
  assert.equal(named.name, "mistralai/Mixtral");
});

Deno.test("parseHuggingFaceConfig() refuses what the simulator would get wrong", () => {
  const refusals: readonly (readonly [object, RegExp])[] = [
    [{ kv_lora_rank: 512 }, /config\.kv_lora_rank must be left out \(latent attention/],
    [{ sliding_window: 4096 }, /config\.sliding_window must be null or >= max_position_embeddings/],
    [{ quantization_config: { bits: 4 } }, /config\.quantization_config must be left out/],
    [{ first_k_dense_replace: 3 }, /config\.first_k_dense_replace must be 0/],
    [{ mlp_only_layers: [0] }, /config\.mlp_only_layers must be empty/],
    [{ num_experts_per_tok: undefined }, /config\.num_experts_per_tok must be an integer >= 1/],
    [{ hidden_size: "wide" }, /config\.hidden_size must be of type number/],
    [{ num_experts_per_tok: 9 }, /experts\.perToken must be <= count/],
  ];
  for (const [change, message] of refusals) {
    assert.throws(() => parseHuggingFaceConfig({ ...MIXTRAL, ...change }), {
      name: "ConfigError",
      message,
    });
  }
  const unused = { ...MIXTRAL, sliding_window: 4096, use_sliding_window: false };
  assert.equal(parseHuggingFaceConfig(unused).layers, 32);
});

Deno.test({
  name: "parseHuggingFaceConfig() agrees with the catalogue on published files",
  ignore: !existsSync(shared),
  fn() {
    for (const name of ["Qwen/Qwen3-32B", "meta-llama/Llama-3.1-8B"]) {
      const config = JSON.parse(readFileSync(`${shared}/${name}.json`, "utf8"));
      assert.deepEqual(parseHuggingFaceConfig(config, name), getModel(name));
    }
  },
});

Deno.test("createAnalyticTimer() reads the experts that a batch chooses and multiplies few", () => {
  const model = parseHuggingFaceConfig(MIXTRAL, "mixtral");
  const timer = createAnalyticTimer({
    model,
    gpu: getGpu("a100"),
    tensorParallel: 1,
    pipelineStages: 2,
    efficiency: { ...FREE, matmulMemory: 1 },
  });
  const bytes = (tokens: number): number =>
    timer.modelSeconds(batchShape([], [[0, tokens]]), 0) * 2039e9;
  const expert = 3 * 4096 * 14336;
  const rest = 4096 * 128 * 2 * (32 + 8) + 4096 * 8;
  // 16 layers of two bytes a weight; one token reads 2 of 8 experts, two tokens 8 (1 - 0.75^2).
  for (const [tokens, experts] of [[1, 2], [2, 3.5], [1000, 8]] as const) {
    const expected = 16 * 2 * (rest + experts * expert);
    assert.ok(Math.abs(bytes(tokens) / expected - 1) < 1e-9, String(tokens));
  }
});
