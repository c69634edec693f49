/**
 * The settings that a serving engine ran with.
 *
 * @module
 */
import { z } from "zod";
import {
  getGpu,
  getModel,
  modelNames,
  type ModelSpec,
  parseHuggingFaceConfig,
  shardModel,
} from "../hardware/mod.ts";
import { planKvBlocks, type SchedulerConfig, schedulerSchema } from "../simulator/mod.ts";
import { ConfigError } from "../support/mod.ts";
import { readLogged } from "./_parse_logged.ts";

/** One engine on one kind of GPU. */
export interface EngineSettings {
  /** Kind of GPU, a name of the hardware catalogue. */
  readonly gpu: string;
  /** Served model. */
  readonly model: string;
  /** Its architecture; left out, the hardware catalogue's. */
  readonly modelSpec?: ModelSpec;
  /** GPUs that share each layer. */
  readonly tensorParallel: number;
  /** Copies of the engine that share the requests. */
  readonly dataParallel: number;
  /** Bytes of a cached key or value number. */
  readonly kvNumberBytes: number;
  /** The engine's own settings. */
  readonly scheduler: SchedulerConfig;
  /** KV blocks that requests of one copy may use. */
  readonly kvBlocks: number;
}

/** Where settings come from; a value given here comes before one in a file. */
export interface EngineSettingsSources {
  /** Path of a `meta.json`. */
  readonly meta?: string;
  /** Path of a `cluster.json`. */
  readonly cluster?: string;
  /** Name of the served model. */
  readonly model?: string;
  /** Path of a model's `config.json` of Hugging Face, asked for if the catalogue lacks the model. */
  readonly modelConfig?: (model: string) => string | undefined;
  /** Name of the kind of GPU. */
  readonly gpu?: string;
  /** GPUs that share each layer. */
  readonly tensorParallel?: number;
  /** Most requests in an iteration. */
  readonly maxNumSeqs?: number;
  /** Most tokens in an iteration. */
  readonly maxNumBatchedTokens?: number;
  /** KV blocks that requests may use. */
  readonly kvBlocks?: number;
}

const limit = z.int().min(1).nullish();

/** What is used of `meta.json`: the settings as given, and as the engine resolved them. */
const metaSchema = z.object({
  model: z.string(),
  engine_kwargs: z.object({
    tensor_parallel_size: z.int().min(1).default(1),
    data_parallel_size: z.int().min(1).default(1),
    max_num_seqs: limit,
    max_num_batched_tokens: limit,
    kv_cache_dtype: z.string().default("auto"),
  }),
  kv_cache: z.object({
    num_gpu_blocks: z.int().min(2).nullish(),
    block_size: limit,
    gpu_memory_utilization: z.number().gt(0).max(1).nullish(),
    enable_prefix_caching: z.boolean().nullish(),
  }).optional(),
  resolved_config: z.object({
    scheduler_config: z.object({
      max_num_seqs: limit,
      max_num_batched_tokens: limit,
      scheduler_reserve_full_isl: z.boolean().nullish(),
    }),
  }).optional(),
});

/** What is used of `cluster.json`: its first engine; memory in GiB. */
const clusterSchema = z.object({
  nodes: z.tuple([z.object({
    instances: z.tuple([z.object({
      hardware: z.string(),
      npu_mem: z.object({ mem_size: z.number().positive(), mem_util: z.number().gt(0).max(1) }),
    })]).rest(z.unknown()),
  })]).rest(z.unknown()),
});

/** vLLM's default for `gpu_memory_utilization`. */
const MEMORY_UTILIZATION = 0.9;

/**
 * Collects an engine's settings from the files that LLMServingSim's benchmark writes and from what
 * is given by hand. What is stated nowhere is vLLM's default, except the model, the kind of GPU and
 * the limits of an iteration, which must be stated.
 *
 * KV blocks are the engine's, less the one that vLLM keeps to stand for "none" (`v1/core/
 * block_pool.py`); where they were not logged, what fits beside the weights in the share of memory
 * that the files state, of the GPU in the catalogue when there is no `cluster.json`.
 *
 * @throws {TraceError} When a file cannot be read or is no such file.
 * @throws {ConfigError} When a setting is missing, or GPU or model are not in the catalogue.
 */
export async function readEngineSettings(sources: EngineSettingsSources): Promise<EngineSettings> {
  const meta = sources.meta === undefined ? undefined : await readLogged(sources.meta, metaSchema);
  const cluster = sources.cluster === undefined
    ? undefined
    : await readLogged(sources.cluster, clusterSchema);
  const instance = cluster?.nodes[0].instances[0];
  const { engine_kwargs: kwargs, kv_cache: cache } = meta ?? {};
  const resolved = meta?.resolved_config?.scheduler_config;
  const gpu = getGpu(required("gpu", sources.gpu ?? instance?.hardware.toLowerCase()));
  const model = await findModel(required("model", sources.model ?? meta?.model), sources);
  const scheduler = schedulerSchema.parse({
    kind: "vllm_v1",
    batchSizeCap: required(
      "max_num_seqs",
      sources.maxNumSeqs ?? resolved?.max_num_seqs ?? kwargs?.max_num_seqs,
    ),
    chunkTokens: required(
      "max_num_batched_tokens",
      sources.maxNumBatchedTokens ?? resolved?.max_num_batched_tokens ??
        kwargs?.max_num_batched_tokens,
    ),
    blockSize: cache?.block_size ?? undefined,
    prefixCaching: cache?.enable_prefix_caching ?? undefined,
    reserveWholePrompt: resolved?.scheduler_reserve_full_isl ?? undefined,
  });
  const tensorParallel = sources.tensorParallel ?? kwargs?.tensor_parallel_size ?? 1;
  const kvNumberBytes = kwargs?.kv_cache_dtype.startsWith("fp8") ? 1 : 2;
  const loggedBlocks = cache?.num_gpu_blocks ?? undefined;
  const plannedBlocks = (): number =>
    planKvBlocks({
      shard: shardModel(model, tensorParallel, 1),
      pipelineStages: 1,
      gpuMemoryBytes: instance === undefined
        ? gpu.memoryBytes
        : instance.npu_mem.mem_size * 2 ** 30,
      memoryMarginFraction: 1 -
        (instance?.npu_mem.mem_util ?? cache?.gpu_memory_utilization ?? MEMORY_UTILIZATION),
      blockSize: scheduler.blockSize,
    }) * (2 / kvNumberBytes);
  const kvBlocks = sources.kvBlocks ??
    (loggedBlocks === undefined ? plannedBlocks() : loggedBlocks - 1);
  if (kvBlocks < 1) {
    throw new ConfigError(
      "kvBlocks",
      kvBlocks,
      `>= 1: the weights of ${model.name} leave no memory`,
    );
  }
  return {
    gpu: gpu.name,
    model: model.name,
    ...(modelNames.includes(model.name) ? {} : { modelSpec: model }),
    tensorParallel,
    dataParallel: kwargs?.data_parallel_size ?? 1,
    kvNumberBytes,
    scheduler,
    kvBlocks,
  };
}

/** The architecture of an engine's model. */
export function modelOf(settings: Pick<EngineSettings, "model" | "modelSpec">): ModelSpec {
  return settings.modelSpec ?? getModel(settings.model);
}

async function findModel(name: string, sources: EngineSettingsSources): Promise<ModelSpec> {
  const path = modelNames.includes(name) ? undefined : sources.modelConfig?.(name);
  if (path === undefined) return getModel(name);
  return parseHuggingFaceConfig(await readLogged(path, z.unknown()), name);
}

/** A setting that has no default. */
function required<T>(name: string, value: T | null | undefined): T {
  if (value === undefined || value === null) {
    throw new ConfigError(name, value, "given, or stated in meta.json or cluster.json");
  }
  return value;
}
