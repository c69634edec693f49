import type { BatchShape } from "../../lib/timing/mod.ts";

/** A batch of decodes with these contexts and prompt chunks after these contexts. */
export function batchShape(
  decodes: readonly number[],
  prefills: readonly (readonly [context: number, chunk: number])[] = [],
): BatchShape {
  return {
    requestCount: decodes.length + prefills.length,
    totalTokens: decodes.length + prefills.reduce((sum, [, chunk]) => sum + chunk, 0),
    decodeCount: decodes.length,
    decodeContextTokens: decodes.reduce((sum, context) => sum + context, 0),
    maxDecodeContextTokens: Math.max(0, ...decodes),
    prefillCount: prefills.length,
    prefillContextTokens: prefills.map(([context]) => context),
    prefillChunkTokens: prefills.map(([, chunk]) => chunk),
  };
}
