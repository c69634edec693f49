/**
 * How much of a GPU's peak the kernels of a serving engine reach.
 *
 * @module
 */
import { ConfigError } from "../support/mod.ts";
import fitted from "../../data/hardware/efficiencies.json" with { type: "json" };

/**
 * The few coefficients of the analytic timer. Fractions are of the datasheet's peak; a boosted clock
 * or data that stays in the cache can take them above 1.
 */
export interface GpuEfficiency {
  /** Fraction of the FLOP/s that large matrix products reach. */
  readonly matmulCompute: number;
  /** Fraction of the memory bandwidth at which matrix products with few tokens read weights. */
  readonly matmulMemory: number;
  /** Fraction of the memory bandwidth of norms, rotary embedding and activation. */
  readonly elementwiseMemory: number;
  /** Fraction of the FLOP/s that attention of long prompt chunks reaches. */
  readonly prefillCompute: number;
  /** Share, in [0, 1], of the pairs hidden by the causal mask that the kernel computes anyway. */
  readonly prefillMaskedShare: number;
  /** Seconds per layer and context token that one prompt chunk needs however small it is. */
  readonly prefillContextSeconds: number;
  /** Fraction of the memory bandwidth at which decode attention reads the KV cache. */
  readonly decodeMemory: number;
  /** How many times longer decode attention takes in a batch that holds a prompt chunk, >= 1. */
  readonly mixedDecodeCost: number;
  /** Fixed seconds per layer, of all its kernels. */
  readonly layerSeconds: number;
  /** Fixed seconds of one collective or transfer between GPUs. */
  readonly linkSeconds: number;
  /** Fraction of the link bandwidth that large collectives reach. */
  readonly linkBandwidth: number;
  /** Seconds of CPU work per iteration that the GPU waits for. */
  readonly iterationSeconds: number;
}

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
