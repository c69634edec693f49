/**
 * How much of a GPU's peak the kernels of a serving engine reach.
 *
 * @module
 */
import { z } from "zod";
import { ConfigError } from "../support/mod.ts";
import fitted from "../../data/hardware/efficiencies.json" with { type: "json" };

const fraction = z.number().positive();
const seconds = z.number().min(0).finite();

/**
 * The few coefficients of the analytic timer. Fractions are of the datasheet's peak; a boosted clock
 * or data that stays in the cache can take them above 1.
 */
export const gpuEfficiencySchema = z.strictObject({
  matmulCompute: fraction
    .describe("Fraction of the FLOP/s that large matrix products reach."),
  matmulMemory: fraction.describe(
    "Fraction of the memory bandwidth at which matrix products with few tokens read weights.",
  ),
  elementwiseMemory: fraction
    .describe("Fraction of the memory bandwidth of norms, rotary embedding and activation."),
  prefillCompute: fraction
    .describe("Fraction of the FLOP/s that attention of long prompt chunks reaches."),
  prefillMaskedShare: z.number().min(0).max(1)
    .describe("Share of the pairs hidden by the causal mask that the kernel computes anyway."),
  prefillContextSeconds: seconds.describe(
    "Seconds per layer and context token that one prompt chunk needs however small it is.",
  ),
  decodeMemory: fraction
    .describe("Fraction of the memory bandwidth at which decode attention reads the KV cache."),
  mixedDecodeCost: z.number().min(1).finite().describe(
    "How many times longer decode attention takes in a batch that holds a prompt chunk.",
  ),
  layerSeconds: seconds.describe("Fixed seconds per layer, of all its kernels."),
  linkSeconds: seconds
    .describe("Fixed seconds of one collective or transfer between GPUs."),
  linkBandwidth: fraction
    .describe("Fraction of the link bandwidth that large collectives reach."),
  iterationSeconds: seconds
    .describe("Seconds of CPU work per iteration that the GPU waits for."),
});

/** Coefficients of a GPU; see {@linkcode gpuEfficiencySchema} for their meaning. */
export type GpuEfficiency = Readonly<z.infer<typeof gpuEfficiencySchema>>;

/**
 * Looks up the efficiencies of a GPU in `data/hardware/efficiencies.json`. The file states for
 * every GPU which measurements they were fitted to and the error of the fit.
 *
 * @throws {ConfigError} When the GPU has none; the message lists those that have.
 *
 * @example
 * ```ts
 * import { getGpuEfficiency } from "@signalbox/signalbox/timing";
 * import assert from "node:assert/strict";
 *
 * const { matmulCompute } = getGpuEfficiency("a100");
 * assert.ok(matmulCompute > 0.5 && matmulCompute <= 1);
 * ```
 */
export function getGpuEfficiency(gpuName: string): GpuEfficiency {
  const entries = fitted.gpus;
  const entry = entries.find(({ gpu }) => gpu === gpuName);
  if (entry === undefined) {
    throw new ConfigError("gpu", gpuName, `one of ${entries.map(({ gpu }) => gpu).join(", ")}`);
  }
  return entry.efficiency;
}

/** What a GPU's coefficients were fitted to and the median error of each fit, as one line. */
export function describeEfficiency(gpuName: string): string {
  const fits = fitted.gpus.find(({ gpu }) => gpu === gpuName)?.fits ?? [];
  const told = fits.filter(({ what }) => /^a layer without attention|^attention/.test(what)).map(
    ({ what, medianRelativeError, p90RelativeError }) =>
      `${what} ${(100 * medianRelativeError).toFixed(1)} % (p90 ${
        (100 * p90RelativeError).toFixed(1)
      } %)`,
  );
  return told.length === 0 ? "no stated error" : `median error of ${told.join(", ")}`;
}
