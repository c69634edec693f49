/**
 * The things that are simulated: models and GPUs, as data.
 *
 * @module
 */
export { getGpu, gpuNames, type GpuSpec, gpuSpecSchema } from "./gpu_spec.ts";
export { parseHuggingFaceConfig } from "./hugging_face_config.ts";
export { BYTES_PER_NUMBER, type ModelShard, shardModel } from "./model_shard.ts";
export { getModel, modelNames, type ModelSpec, modelSpecSchema } from "./model_spec.ts";
