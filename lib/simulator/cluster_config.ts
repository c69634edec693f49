/**
 * Configuration of a cluster.
 *
 * @module
 */
import { z } from "zod";
import { gpuSpecSchema, modelSpecSchema } from "../hardware/mod.ts";
import { gpuEfficiencySchema, timerSchema } from "../timing/mod.ts";
import { schedulerSchema } from "./scheduler_config.ts";

/** A number of equal replicas. */
export const replicaGroupSchema = z.strictObject({
  gpu: z.string().default("a100")
    .describe("Kind of GPU, a name of the hardware catalogue or of cluster.gpus."),
  count: z.int().min(1).max(4096).default(1)
    .describe("Replicas of this kind."),
  tensorParallel: z.int().min(1).max(64).default(1)
    .describe("GPUs that share each layer."),
  pipelineStages: z.int().min(1).max(64).default(1)
    .describe("Stages that share the layers."),
  kvBlocks: z.int().min(1).max(2 ** 30).optional()
    .describe("KV blocks; left out, as many as fit in memory."),
  timer: timerSchema.optional()
    .describe("Where batch times come from; left out, cluster.timer."),
});

/** A GPU beside those of the catalogue. */
const ownGpuSchema = gpuSpecSchema.extend({
  product: z.string().default("").describe("The vendor's name of the product."),
  source: z.string().default("").describe("Where the figures come from."),
  efficiency: z.union([z.string(), gpuEfficiencySchema]).describe(
    "Coefficients of the analytic timer, or the GPU of the catalogue whose fitted ones to take.",
  ),
});

/**
 * Cluster: one model on groups of replicas, all with the same scheduler. The default is the one of
 * spec/scheduler.md section 1.3: Llama-2-7b on 4 x A100, sarathi with chunks of 512.
 */
export const clusterSchema = z.strictObject({
  model: z.string().default("meta-llama/Llama-2-7b-hf")
    .describe("Served model, a name of the hardware catalogue or of cluster.models."),
  models: z.array(modelSpecSchema).optional()
    .describe("Models beside those of the catalogue."),
  gpus: z.array(ownGpuSchema).optional()
    .describe("GPUs beside those of the catalogue."),
  replicas: z.array(replicaGroupSchema).min(1)
    .default([{ gpu: "a100", count: 4, tensorParallel: 1, pipelineStages: 1 }])
    .describe("Groups of equal replicas, in order of replica index."),
  scheduler: schedulerSchema.prefault({})
    .describe("Scheduler inside every replica."),
  timer: timerSchema.prefault({ kind: "analytic" })
    .describe("Where batch times come from; deno task profile list shows the profiles."),
  memoryMarginFraction: z.number().min(0).max(0.9).default(0.1)
    .describe("Share of GPU memory kept free (spec/simulator.md section 3)."),
  compat: z.enum(["none", "vidur"]).default("none")
    .describe("Whether to plan memory and simulate exactly as Vidur does."),
});

/** Validated {@linkcode replicaGroupSchema}. */
export type ReplicaGroupConfig = z.infer<typeof replicaGroupSchema>;

/** Validated {@linkcode clusterSchema}. */
export type ClusterConfig = z.infer<typeof clusterSchema>;
