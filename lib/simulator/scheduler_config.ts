/**
 * Configuration of the scheduler inside a replica.
 *
 * @module
 */
import { z } from "zod";

/** Iteration-level schedulers that a replica may run. */
export const schedulerKinds = [
  "sarathi",
  "vllm",
  "vllm_v1",
  "orca",
  "faster_transformer",
  "lightllm",
] as const;

/**
 * Replica scheduler. Defaults are Vidur's (spec/simulator.md section 4) unless a line says otherwise;
 * a field that the chosen kind does not use has no effect.
 */
export const schedulerSchema = z.strictObject({
  kind: z.enum(schedulerKinds).default("sarathi")
    .describe("How a replica forms its batches."),
  batchSizeCap: z.int().min(1).max(65536).default(128)
    .describe(
      "Largest number of admitted requests per replica, or, with orca and faster_transformer, of " +
        "requests in each of the batches that its stages work on.",
    ),
  blockSize: z.int().min(1).max(4096).default(16)
    .describe("Tokens per KV block."),
  watermarkFraction: z.number().min(0).max(1).default(0.01)
    .describe("Share of the KV blocks that admission leaves free (sarathi, vllm)."),
  chunkTokens: z.int().min(1).max(1048576).default(512)
    .describe("Token budget of an iteration that prompts are cut to (sarathi, vllm_v1)."),
  // vLLM's `scheduler_reserve_full_isl`, on by default since 0.19.
  reserveWholePrompt: z.boolean().default(true)
    .describe("Whether a request is admitted only when its whole prompt fits (vllm_v1)."),
  // vLLM's `enable_prefix_caching`, on by default.
  prefixCaching: z.boolean().default(true)
    .describe("Whether a preempted request may find its own blocks again (vllm_v1)."),
  maxTokensInBatch: z.int().min(1).max(1048576).default(4096)
    .describe(
      "Largest batch of prompts in tokens, padded to the longest with compat vidur (vllm, lightllm).",
    ),
  maxWaitingIterations: z.int().min(0).max(1048576).default(10)
    .describe("Decode iterations between two attempts to admit prompts (lightllm)."),
  maxTokensPerRequest: z.int().min(1).max(1048576).default(4096)
    .describe("Longest request; orca and faster_transformer reserve KV blocks for so many tokens."),
});

/** Validated {@linkcode schedulerSchema}. */
export type SchedulerConfig = z.infer<typeof schedulerSchema>;
