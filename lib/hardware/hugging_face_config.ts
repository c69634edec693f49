/**
 * Models from the `config.json` that Hugging Face repositories hold.
 *
 * @module
 */
import { z } from "zod";
import { ConfigError, parseConfig } from "../support/mod.ts";
import { type ModelSpec, modelSpecSchema } from "./model_spec.ts";

const count = z.int().min(1);

/** Fields that decide how long a batch takes; all others are ignored. */
const configSchema = z.object({
  model_type: z.string(),
  _name_or_path: z.string().optional(),
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  hidden_size: count,
  intermediate_size: count.optional(),
  vocab_size: count,
  max_position_embeddings: count,
  // Experts: Mixtral; Qwen and others; DeepSeek.
  num_local_experts: count.nullish(),
  num_experts: count.nullish(),
  n_routed_experts: count.nullish(),
  num_experts_per_tok: count.nullish(),
  moe_intermediate_size: count.nullish(),
  shared_expert_intermediate_size: z.int().min(0).nullish(),
  n_shared_experts: z.int().min(0).nullish(),
  // What the simulator does not know.
  first_k_dense_replace: z.int().nullish(),
  mlp_only_layers: z.array(z.int()).nullish(),
  decoder_sparse_step: z.int().nullish(),
  kv_lora_rank: z.int().nullish(),
  is_encoder_decoder: z.boolean().nullish(),
  quantization_config: z.unknown().optional(),
  sliding_window: z.int().nullish(),
  use_sliding_window: z.boolean().nullish(),
});

type Config = z.infer<typeof configSchema>;

/** Architectures whose MLP has two matrices. */
const UNGATED = ["phi", "gpt_neox", "gptj", "falcon", "starcoder2", "opt", "bloom"];
/** Architectures with one norm for attention and MLP. */
const ONE_NORM = ["phi", "gptj", "cohere"];

/**
 * Reads the architecture of a decoder-only transformer. Of a model for several kinds of input, its
 * `text_config` counts. What the simulator would get wrong is refused: latent attention, sliding
 * windows shorter than the context, dense layers among layers with experts, quantised weights.
 *
 * @param config The parsed file.
 * @param name Name of the model; by default the one that the file states, or `model_type`.
 * @throws {ConfigError} When a field is missing, or asks for what is not simulated.
 *
 * @example Mixtral-8x7B
 * ```ts
 * import { parseHuggingFaceConfig } from "@signalbox/signalbox/hardware";
 * import assert from "node:assert/strict";
 *
 * const model = parseHuggingFaceConfig({
 *   model_type: "mixtral",
 *   hidden_size: 4096,
 *   intermediate_size: 14336,
 *   num_hidden_layers: 32,
 *   num_attention_heads: 32,
 *   num_key_value_heads: 8,
 *   num_local_experts: 8,
 *   num_experts_per_tok: 2,
 *   vocab_size: 32000,
 *   max_position_embeddings: 32768,
 * }, "mistralai/Mixtral-8x7B-v0.1");
 * assert.equal(model.headDim, 128);
 * assert.deepEqual(model.experts, { count: 8, perToken: 2, hiddenDim: 14336 });
 * ```
 */
export function parseHuggingFaceConfig(config: unknown, name?: string): ModelSpec {
  const outer = parseConfig<{ text_config?: unknown }>(
    z.object({ text_config: z.unknown().optional() }),
    config,
    "model config",
  );
  const parsed = parseConfig<Config>(configSchema, outer.text_config ?? config, "model config");
  refuseUnknownArchitecture(parsed);
  const experts = expertsOf(parsed);
  return parseConfig<ModelSpec>(modelSpecSchema, {
    name: name ?? (parsed._name_or_path || parsed.model_type),
    layers: parsed.num_hidden_layers,
    qHeads: parsed.num_attention_heads,
    kvHeads: parsed.num_key_value_heads ?? parsed.num_attention_heads,
    headDim: parsed.head_dim ?? parsed.hidden_size / parsed.num_attention_heads,
    embeddingDim: parsed.hidden_size,
    mlpHiddenDim: experts === undefined ? required(parsed, "intermediate_size") : sharedDim(parsed),
    gatedMlp: !UNGATED.includes(parsed.model_type),
    postAttentionNorm: !ONE_NORM.includes(parsed.model_type),
    vocabSize: parsed.vocab_size,
    tensorParallel: true,
    ...(experts !== undefined && { experts }),
  }, "model");
}

/** A field that this kind of model must have. */
function required(config: Config, field: keyof Config): number {
  const value = config[field];
  if (typeof value === "number") return value;
  throw new ConfigError(`model config.${field}`, value, "an integer >= 1");
}

function expertsOf(config: Config): ModelSpec["experts"] {
  const experts = config.num_local_experts ?? config.num_experts ?? config.n_routed_experts;
  if (experts === undefined || experts === null) return undefined;
  return {
    count: experts,
    perToken: required(config, "num_experts_per_tok"),
    hiddenDim: config.moe_intermediate_size ?? required(config, "intermediate_size"),
  };
}

/** Width of the experts that every token passes. */
function sharedDim(config: Config): number {
  return config.shared_expert_intermediate_size ??
    (config.n_shared_experts ?? 0) * (config.moe_intermediate_size ?? 0);
}

function refuseUnknownArchitecture(config: Config): void {
  const window = config.use_sliding_window === false ? null : config.sliding_window ?? null;
  const refusals: readonly (readonly [field: keyof Config, refused: boolean, allowed: string])[] = [
    ["kv_lora_rank", config.kv_lora_rank != null, "left out (latent attention is not simulated)"],
    ["is_encoder_decoder", config.is_encoder_decoder === true, "false"],
    [
      "quantization_config",
      config.quantization_config != null,
      "left out (weights are taken for 16-bit numbers)",
    ],
    [
      "sliding_window",
      window !== null && window < config.max_position_embeddings,
      "null or >= max_position_embeddings (windows are not simulated)",
    ],
    [
      "first_k_dense_replace",
      (config.first_k_dense_replace ?? 0) > 0,
      "0 (all layers must be alike)",
    ],
    [
      "mlp_only_layers",
      (config.mlp_only_layers ?? []).length > 0,
      "empty (all layers must be alike)",
    ],
    [
      "decoder_sparse_step",
      (config.decoder_sparse_step ?? 1) !== 1,
      "1 (all layers must be alike)",
    ],
  ];
  for (const [field, refused, allowed] of refusals) {
    if (refused) throw new ConfigError(`model config.${field}`, config[field], allowed);
  }
}
