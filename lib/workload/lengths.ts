/**
 * How long prompts and outputs are.
 *
 * @module
 */
import { z } from "zod";
import type { Rng } from "../random/mod.ts";
import { lengthTableSchema, sampleLengthTable } from "./length_table.ts";

// Defaults are Vidur's (spec/simulator.md section 7).
const totalLength = {
  minTokens: z.number().int().min(2).default(1024),
  maxTokens: z.number().int().min(2).default(4096),
  promptToOutputRatio: z.number().positive().default(20),
};

/** Smallest total not above largest. */
function isOrdered(config: { minTokens: number; maxTokens: number }): boolean {
  return config.minTokens <= config.maxTokens;
}
const ordered = { message: "an object with minTokens <= maxTokens" };

/** Configuration of a length distribution. */
export const lengthSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("fixed"),
    promptTokens: z.number().int().positive().default(2048),
    outputTokens: z.number().int().positive().default(512),
  }),
  z.strictObject({ kind: z.literal("uniform"), ...totalLength }).refine(isOrdered, ordered),
  z.strictObject({
    kind: z.literal("zipf"),
    ...totalLength,
    theta: z.number().gt(0).lt(1).default(0.6).describe("Skew"),
  }).refine(isOrdered, ordered),
  z.strictObject({ kind: z.literal("empirical"), table: lengthTableSchema }),
]);

/** A length distribution. */
export type LengthConfig = z.infer<typeof lengthSchema>;

/** Draws prompt and output tokens of one request, each >= 1. */
export type LengthSampler = () => [number, number];

/**
 * Creates a sampler of lengths.
 *
 * - `fixed`: always the same.
 * - `uniform`: total uniform in [min, max), split at `promptToOutputRatio`.
 * - `zipf`: total zipf-distributed over [min, max], small totals likeliest, split alike. Source:
 *   Gray et al., "Quickly generating billion-record synthetic databases", SIGMOD 1994, in the form
 *   of spec/simulator.md section 7.
 * - `empirical`: from quantile tables with dependent outputs.
 *
 * @param config The distribution.
 * @param rng Its random numbers.
 */
export function createLengthSampler(config: LengthConfig, rng: Rng): LengthSampler {
  switch (config.kind) {
    case "fixed":
      return () => [config.promptTokens, config.outputTokens];
    case "uniform": {
      const { minTokens, maxTokens, promptToOutputRatio: ratio } = config;
      return () => {
        const total = minTokens + (maxTokens - minTokens) * rng.uniform();
        return split(total, Math.ceil(total / (1 + ratio)));
      };
    }
    case "zipf": {
      const nextTotal = zipfTotals(config.minTokens, config.maxTokens, config.theta, rng);
      const { promptToOutputRatio: ratio } = config;
      return () => {
        const total = nextTotal();
        return split(total, total / (1 + ratio));
      };
    }
    case "empirical":
      return () => sampleLengthTable(config.table, rng);
  }
}

/** Divides a total into whole tokens of prompt and output, as Vidur truncates them. */
function split(total: number, output: number): [number, number] {
  return [Math.max(1, Math.trunc(total - output)), Math.max(1, Math.trunc(output))];
}

/** Zipf-distributed integers in `[min, max]`. */
function zipfTotals(min: number, max: number, theta: number, rng: Rng): () => number {
  const items = max - min + 1;
  // The sum leaves `items` itself out, as Vidur's does.
  let zeta = 0;
  for (let i = 1; i < items; i++) zeta += Math.pow(i, -theta);
  const zeta2 = 1;
  const alpha = 1 / (1 - theta);
  const eta = (1 - Math.pow(2 / items, 1 - theta)) / (1 - zeta2 / (zeta + 1e-8));
  const second = 1 + Math.pow(0.5, theta);
  return () => {
    const u = rng.uniform();
    const scaled = u * zeta;
    if (scaled < 1) return min;
    if (scaled < second) return Math.min(max, min + 1);
    return Math.min(max, min + Math.trunc(items * Math.pow(eta * u - eta + 1, alpha)));
  };
}
