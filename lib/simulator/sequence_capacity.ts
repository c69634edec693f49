/**
 * Refusing requests that no schedule could serve.
 *
 * @module
 */
import type { Workload } from "../workload/mod.ts";
import type { ReplicaSpec } from "./replica_spec.ts";

/**
 * Longest request, in prompt plus output tokens, that a replica can always serve: alone, and again
 * after a preemption at any point (the last token is sampled and never cached).
 *
 * @returns Tokens; < 2 when the replica can serve nothing, `Infinity` when it has to be Vidur's,
 *   which takes in any request and waits for ever if need be.
 */
export function maxSequenceTokens(spec: ReplicaSpec): number {
  const { kvBlocks, scheduler } = spec;
  if (spec.compat === "vidur") return Infinity;
  const { blockSize, watermarkFraction, maxTokensPerRequest } = scheduler;
  switch (scheduler.kind) {
    case "sarathi":
    case "vllm":
      return (kvBlocks - Math.floor(watermarkFraction * kvBlocks)) * blockSize + 1;
    case "vllm_v1":
      return kvBlocks * blockSize + 1;
    case "orca":
    case "faster_transformer":
      return reservedBlocks(spec) <= kvBlocks ? maxTokensPerRequest : 0;
    case "lightllm":
      // It admits what stays below the capacity.
      return kvBlocks - 1;
  }
}

/**
 * KV blocks that orca and faster_transformer reserve for a request: enough for the longest one. Vidur
 * leaves out a last block that is not full.
 */
export function reservedBlocks({ scheduler, compat }: ReplicaSpec): number {
  const blocks = scheduler.maxTokensPerRequest / scheduler.blockSize;
  return compat === "vidur" ? Math.floor(blocks) : Math.ceil(blocks);
}

/**
 * Checks every request against every replica, since a router may choose any.
 *
 * @throws {RangeError} For the first request that does not fit, with its size and the replica's.
 */
export function checkSequencesFit(workload: Workload, replicas: readonly ReplicaSpec[]): void {
  let tightest = 0;
  const limits = replicas.map(maxSequenceTokens);
  limits.forEach((limit, index) => {
    if (limit < limits[tightest]!) tightest = index;
  });
  const limit = limits[tightest]!;
  const { count, promptTokens, outputTokens } = workload;
  for (let i = 0; i < count; i++) {
    const tokens = promptTokens[i]! + outputTokens[i]!;
    if (tokens > limit) {
      const spec = replicas[tightest]!;
      throw new RangeError(
        `Cannot simulate: request ${i} must have at most ${limit} tokens, what the ` +
          `${spec.kvBlocks} KV blocks of replica ${tightest} (${spec.gpu}, ` +
          `${spec.scheduler.kind}) can serve, current value is ${tokens} ` +
          `(${promptTokens[i]} prompt + ${outputTokens[i]} output); workload.maxTokens and ` +
          "workload.overLength drop or clip such requests",
      );
    }
  }
}
