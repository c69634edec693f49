/**
 * What a GPU can do, from its datasheet.
 *
 * @module
 */
import { z } from "zod";
import { ConfigError } from "../support/mod.ts";
import catalogue from "../../data/hardware/gpus.json" with { type: "json" };

const rate = z.number().positive().finite();

/** One kind of GPU. Peaks are the vendor's: what a kernel reaches is the timing model's business. */
export const gpuSpecSchema = z.strictObject({
  name: z.string().min(1).describe("Short name, as used in configurations."),
  product: z.string().describe("The vendor's name of the product."),
  fp16FlopsPerSecond: rate.describe("Dense 16-bit tensor-core peak, in FLOP/s."),
  memoryBytes: rate.describe("Memory that the driver reports, in bytes."),
  memoryBandwidthBytesPerSecond: rate.describe("Peak bandwidth of that memory, in bytes/s."),
  linkBandwidthBytesPerSecond: rate
    .describe("Bandwidth to another GPU of the same node, one direction, in bytes/s."),
  source: z.string().describe("Where the figures come from."),
});

/** One kind of GPU; see {@linkcode gpuSpecSchema} for its fields. */
export type GpuSpec = Readonly<z.infer<typeof gpuSpecSchema>>;

/** Names that {@linkcode getGpu} knows. */
export const gpuNames: readonly string[] = catalogue.gpus.map((gpu) => gpu.name);

/**
 * Looks up a GPU of the catalogue `data/hardware/gpus.json`.
 *
 * @param name Its short name.
 * @param own GPUs beside those of the catalogue; they come first.
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
export function getGpu(name: string, own: readonly GpuSpec[] = []): GpuSpec {
  const gpus: readonly GpuSpec[] = [...own, ...catalogue.gpus];
  const gpu = gpus.find((candidate) => candidate.name === name);
  if (gpu !== undefined) return gpu;
  throw new ConfigError("gpu", name, `one of ${gpus.map((each) => each.name).join(", ")}`);
}
