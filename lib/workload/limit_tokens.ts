/**
 * What to do with requests that are longer than a model or replica can hold.
 *
 * @module
 */
import { z } from "zod";
import { cutHashes, selectHashes } from "./_prefix_hashes.ts";
import { mapSlos } from "./_request_slos.ts";
import type { Workload } from "./workload.ts";

/** Ways to treat a request whose prompt and output exceed a limit together. */
export const overLengthSchema = z.enum(["refuse", "drop", "clip_prompt"]);

/**
 * - `refuse`: an error that names the request;
 * - `drop`: the request is left out;
 * - `clip_prompt`: the prompt loses its excess at the end down to one token, then the output does (Vidur's
 *   trace replay, spec/simulator.md section 7).
 */
export type OverLength = z.infer<typeof overLengthSchema>;

/**
 * Applies a limit to prompt plus output tokens.
 *
 * @param maxTokens Largest allowed sum, an integer >= 2.
 * @param overLength What happens to longer requests.
 * @returns The workload itself when no request exceeds the limit, otherwise new columns.
 * @throws {RangeError} When the limit is no such integer, or a request exceeds it under `refuse`.
 *
 * @example
 * ```ts
 * import { limitTokens } from "@signalbox/signalbox/workload";
 * import assert from "node:assert/strict";
 *
 * const short = limitTokens({
 *   name: "two",
 *   count: 2,
 *   arrivalSeconds: Float64Array.of(0, 1),
 *   promptTokens: Int32Array.of(5000, 10),
 *   outputTokens: Int32Array.of(96, 10),
 * }, 4096, "clip_prompt");
 * assert.deepEqual([...short.promptTokens], [4000, 10]);
 * ```
 */
export function limitTokens(
  workload: Workload,
  maxTokens: number,
  overLength: OverLength,
): Workload {
  if (!Number.isInteger(maxTokens) || maxTokens < 2) {
    throw new RangeError(
      `Cannot limit a workload: maxTokens must be an integer >= 2, current value is ${maxTokens}`,
    );
  }
  const { count, promptTokens, outputTokens } = workload;
  const fits = (i: number): boolean => promptTokens[i]! + outputTokens[i]! <= maxTokens;
  const kept: number[] = [];
  for (let i = 0; i < count; i++) {
    if (fits(i)) {
      kept.push(i);
    } else if (overLength === "refuse") {
      throw new RangeError(
        `Cannot limit a workload: prompt + output tokens must be <= ${maxTokens}, current value is ${
          promptTokens[i]! + outputTokens[i]!
        } (request ${i} of ${workload.name})`,
      );
    }
  }
  if (kept.length === count) return workload;
  if (overLength === "drop") return select(workload, kept);
  const outputs = outputTokens.map((tokens) => Math.min(tokens, maxTokens - 1));
  const prompts = promptTokens.map((tokens, i) => Math.min(tokens, maxTokens - outputs[i]!));
  return {
    ...workload,
    promptTokens: prompts,
    outputTokens: outputs,
    ...(workload.prefixHashes && { prefixHashes: cutHashes(workload.prefixHashes, prompts) }),
  };
}

/** The requests at the given indices. */
function select(workload: Workload, indices: readonly number[]): Workload {
  const { name, arrivalSeconds, promptTokens, outputTokens, priority, slos, prefixHashes } =
    workload;
  return {
    name,
    count: indices.length,
    arrivalSeconds: Float64Array.from(indices, (i) => arrivalSeconds[i]!),
    promptTokens: Int32Array.from(indices, (i) => promptTokens[i]!),
    outputTokens: Int32Array.from(indices, (i) => outputTokens[i]!),
    ...(priority === undefined ? {} : { priority: Int32Array.from(indices, (i) => priority[i]!) }),
    ...(slos && {
      slos: mapSlos(slos, (column) => Float64Array.from(indices, (i) => column[i]!)),
    }),
    ...(prefixHashes && { prefixHashes: selectHashes(prefixHashes, indices) }),
  };
}
