/**
 * Clusters to choose from.
 *
 * @module
 */
import { z } from "zod";
import { type ClusterConfig, clusterSchema } from "../simulator/mod.ts";
import { ConfigError } from "../support/mod.ts";

/**
 * US dollars per GPU and hour. Source: the cost table of Vidur's analyzer (spec/simulator.md section
 * 9, its first figures).
 */
const DOLLARS_PER_GPU_HOUR: Readonly<Record<string, number>> = {
  h100: 4.25,
  a100: 2.21,
  a40: 1.28,
};

/** A named cluster; its price is worked out from its GPUs unless it is given. */
export const candidateSchema = z.strictObject({
  name: z.string().min(1),
  cluster: clusterSchema,
  dollarsPerHour: z.number().positive().finite().optional(),
});

/** Validated {@linkcode candidateSchema}. */
export type Candidate = z.infer<typeof candidateSchema>;

/**
 * What a candidate costs in US dollars per hour: what it says itself, or the sum over its GPUs.
 *
 * @throws {ConfigError} When a GPU has no known price and the candidate gives none.
 */
export function dollarsPerHour(candidate: Candidate): number {
  return candidate.dollarsPerHour ?? sumOverGpus(candidate.name, candidate.cluster);
}

function sumOverGpus(name: string, cluster: ClusterConfig): number {
  let sum = 0;
  for (const { gpu, count, tensorParallel, pipelineStages } of cluster.replicas) {
    const price = DOLLARS_PER_GPU_HOUR[gpu];
    if (price === undefined) {
      throw new ConfigError(
        `${name}.dollarsPerHour`,
        undefined,
        `given for ${gpu} (known are ${Object.keys(DOLLARS_PER_GPU_HOUR).join(", ")})`,
      );
    }
    sum += price * count * tensorParallel * pipelineStages;
  }
  return sum;
}
