/**
 * The operations that the time of a batch is made of.
 *
 * @module
 */
import type { OperationKind } from "./batch_timer.ts";

/**
 * Names of the operations that timers may tell apart, and their kinds. `mlp_*` and `attn_*` run once
 * a layer, the rest once an iteration and stage. Not among them is Vidur's `model_execution_e2e`,
 * which is the time of all that is not CPU work.
 *
 * Source: spec/simulator.md section 10, with Vidur's `mlp_act` spelled out, and what Vidur leaves
 * out: norm of queries and keys, embedding, last norm, output matrix, sampler and launches.
 */
export const operations = {
  attn_pre_proj: "matmul",
  attn_post_proj: "matmul",
  mlp_up_proj: "matmul",
  mlp_down_proj: "matmul",
  attn_prefill: "attention",
  attn_decode: "attention",
  attn_kv_cache_save: "attention",
  input_layernorm: "elementwise",
  attn_qk_norm: "elementwise",
  attn_rope: "elementwise",
  post_attention_layernorm: "elementwise",
  mlp_activation: "elementwise",
  add: "elementwise",
  embedding: "elementwise",
  final_layernorm: "elementwise",
  attn_post_proj_all_reduce: "communication",
  mlp_down_proj_all_reduce: "communication",
  pipeline_send_recv: "communication",
  kernel_launch: "launch",
  lm_head: "sampling",
  sampler: "sampling",
  schedule: "cpu",
  prepare_inputs_e2e: "cpu",
  sample_e2e: "cpu",
  process_model_outputs: "cpu",
  ray_comm_time: "cpu",
} as const satisfies Record<string, OperationKind>;

/** One of {@linkcode operations}. */
export type Operation = keyof typeof operations;
