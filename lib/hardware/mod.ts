/**
 * The things that are simulated: models and GPUs, as data.
 *
 * @module
 */
export { getGpu, gpuNames, type GpuSpec } from "./gpu_spec.ts";
export { BYTES_PER_NUMBER, type ModelShard, shardModel } from "./model_shard.ts";
export { getModel, modelNames, type ModelSpec } from "./model_spec.ts";
