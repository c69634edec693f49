/**
 * Parts of a batch's time that several timers tell apart in the same way.
 *
 * @module
 */
import { mergeChunks } from "./_merge_chunks.ts";
import type { BatchShape, OperationPart } from "./batch_timer.ts";
import { type Operation, operations } from "./operations.ts";

/** Seconds of a batch in a stage. */
type StageSeconds = OperationPart["seconds"];

/** One operation, or several of one kind that are known only in sum. */
export function operationPart(
  names: readonly [Operation, ...Operation[]],
  seconds: StageSeconds,
): OperationPart {
  return { operations: names, kind: operations[names[0]], seconds };
}

/** What measured tables call operations that have another name here. */
const MEASURED_NAMES: ReadonlyMap<string, readonly [Operation, ...Operation[]]> = new Map([
  // Vidur
  ["mlp_act", ["mlp_activation"]],
  // LLMServingSim; its layer has one norm, measured once and counted twice.
  ["layernorm", ["input_layernorm", "post_attention_layernorm"]],
  ["qkv_proj", ["attn_pre_proj"]],
  ["qk_norm", ["attn_qk_norm"]],
  ["rotary_emb", ["attn_rope"]],
  ["o_proj", ["attn_post_proj"]],
  ["gate_up_proj", ["mlp_up_proj"]],
  ["act_fn", ["mlp_activation"]],
  ["down_proj", ["mlp_down_proj"]],
]);

/** Names here of a measured operation; what is not known keeps its name. */
export function measuredOperations(name: string): readonly [string, ...string[]] {
  return MEASURED_NAMES.get(name) ?? [name];
}

/** A measured operation of a format whose names are all known. */
export function measuredPart(name: string, seconds: StageSeconds): OperationPart {
  return operationPart(measuredOperations(name) as [Operation, ...Operation[]], seconds);
}

/**
 * Parts that were interpolated one by one, stretched to add up to what was interpolated as a whole:
 * the two may differ a little where measurements are noisy.
 */
export function stretchParts(
  parts: readonly OperationPart[],
  totalSeconds: StageSeconds,
): OperationPart[] {
  return parts.map((part) => ({
    ...part,
    seconds(batch, stage) {
      const own = part.seconds(batch, stage);
      if (own === 0) return 0;
      const sum = parts.reduce((seconds, other) => seconds + other.seconds(batch, stage), 0);
      return own / sum * totalSeconds(batch, stage);
    },
  }));
}

/** Attention of the layers of one stage, and its parts. */
export interface AttentionTerm {
  /** Seconds of prompt chunks and decodes together. */
  seconds(batch: BatchShape): number;
  /** What is known of them. */
  readonly parts: readonly OperationPart[];
}

/** Parts of attention with kernels of their own for prompt chunks and decodes. */
export function separateAttentionParts(
  prefillSeconds: (batch: BatchShape) => number,
  decodeSeconds: (batch: BatchShape) => number,
): OperationPart[] {
  return [
    operationPart(["attn_prefill", "attn_kv_cache_save"], prefillSeconds),
    operationPart(["attn_decode", "attn_kv_cache_save"], decodeSeconds),
  ];
}

/**
 * Attention measured apart for prompt chunks, looked up as one, and for decodes, looked up at their
 * mean context; each with the saving of its keys and values.
 *
 * @param layers Layers of the stage.
 * @param prefill Seconds of one layer for a chunk after cached tokens.
 * @param decode Seconds of one layer for decodes of equal context.
 */
export function createSeparateAttention(
  layers: number,
  prefill: (contextTokens: number, chunkTokens: number) => number,
  decode: (decodeCount: number, contextTokens: number) => number,
): AttentionTerm {
  const prefillSeconds = (batch: BatchShape): number => {
    if (batch.prefillCount === 0) return 0;
    const { chunkTokens, contextTokens } = mergeChunks(batch);
    return prefill(contextTokens, chunkTokens);
  };
  const decodeSeconds = ({ decodeCount, decodeContextTokens }: BatchShape): number =>
    decodeCount === 0 ? 0 : decode(decodeCount, decodeContextTokens / decodeCount);
  return {
    seconds: (batch) => layers * (prefillSeconds(batch) + decodeSeconds(batch)),
    parts: separateAttentionParts(
      (batch) => layers * prefillSeconds(batch),
      (batch) => layers * decodeSeconds(batch),
    ),
  };
}

/** Part of attention with one kernel for prompt chunks and decodes. */
export function jointAttentionPart(seconds: (batch: BatchShape) => number): OperationPart {
  return operationPart(["attn_prefill", "attn_decode", "attn_kv_cache_save"], seconds);
}

/**
 * Parts of communication: a layer's two all-reduces move the same activations, the last stage sends
 * nothing.
 *
 * @param reduceSeconds Seconds of all all-reduces of a stage, by tokens; `undefined` on one GPU.
 * @param sendSeconds Seconds of a transfer to the next stage, by tokens.
 * @param pipelineStages Stages.
 */
export function communicationParts(
  reduceSeconds: ((tokens: number) => number) | undefined,
  sendSeconds: ((tokens: number) => number) | undefined,
  pipelineStages: number,
): OperationPart[] {
  const parts: OperationPart[] = [];
  if (reduceSeconds !== undefined) {
    const half = ({ totalTokens }: BatchShape): number => reduceSeconds(totalTokens) / 2;
    parts.push(
      operationPart(["attn_post_proj_all_reduce"], half),
      operationPart(["mlp_down_proj_all_reduce"], half),
    );
  }
  if (sendSeconds !== undefined && pipelineStages > 1) {
    parts.push(operationPart(
      ["pipeline_send_recv"],
      ({ totalTokens }, stage) => stage === pipelineStages - 1 ? 0 : sendSeconds(totalTokens),
    ));
  }
  return parts;
}

/** A part that only one stage has. */
export function onlyInStage(only: number, part: OperationPart): OperationPart {
  return {
    ...part,
    seconds: (batch, stage) => stage === only ? part.seconds(batch, stage) : 0,
  };
}

/** Part of CPU work that is known as a whole. */
export function cpuPart(seconds: (batch: BatchShape) => number): OperationPart {
  return operationPart(
    ["schedule", "prepare_inputs_e2e", "sample_e2e", "process_model_outputs", "ray_comm_time"],
    seconds,
  );
}
