/**
 * What a GPU can do, from its datasheet.
 *
 * @module
 */
import { ConfigError } from "../support/mod.ts";
import catalogue from "../../data/hardware/gpus.json" with { type: "json" };

/** One kind of GPU. Peaks are the vendor's: what a kernel reaches is the timing model's business. */
export interface GpuSpec {
  /** Short name, as used in configurations. */
  readonly name: string;
  /** The vendor's name of the product. */
  readonly product: string;
  /** Dense 16-bit tensor-core peak, in FLOP/s. */
  readonly fp16FlopsPerSecond: number;
  /** Memory that the driver reports, in bytes. */
  readonly memoryBytes: number;
  /** Peak bandwidth of that memory, in bytes/s. */
  readonly memoryBandwidthBytesPerSecond: number;
  /** Bandwidth to another GPU of the same node, one direction, in bytes/s. */
  readonly linkBandwidthBytesPerSecond: number;
  /** Where the figures come from. */
  readonly source: string;
}

/** Names that {@linkcode getGpu} knows. */
export const gpuNames: readonly string[] = catalogue.gpus.map((gpu) => gpu.name);

/**
 * Looks up a GPU of the catalogue `data/hardware/gpus.json`.
 *
 * @throws {ConfigError} When there is no such GPU; the message lists those there are.
 *
 * @example
 * ```ts
 * import { getGpu } from "@signalbox/signalbox/hardware";
 * import assert from "node:assert/strict";
 *
 * assert.equal(getGpu("a100").fp16FlopsPerSecond, 312e12);
 * ```
 */
export function getGpu(name: string): GpuSpec {
  const gpu = catalogue.gpus.find((candidate) => candidate.name === name);
  if (gpu === undefined) throw new ConfigError("gpu", name, `one of ${gpuNames.join(", ")}`);
  return gpu;
}
