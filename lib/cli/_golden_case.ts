/**
 * Golden cases: recorded runs of Vidur, to be replayed and compared.
 *
 * @module
 */
import { parse } from "csv-parse/sync";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { shardModel } from "../hardware/mod.ts";
import { planVidurMemory, type ReplicaSpec, schedulerSchema } from "../simulator/mod.ts";
import { parseConfig, TraceError } from "../support/mod.ts";
import { createVidurTableTimer, readVidurTables, type VidurTables } from "../timing/mod.ts";
import type { Workload } from "../workload/mod.ts";

const modelSchema = z.object({
  num_layers: z.int(),
  num_q_heads: z.int(),
  num_kv_heads: z.int(),
  embedding_dim: z.int(),
  mlp_hidden_dim: z.int(),
  use_gated_mlp: z.boolean(),
  post_attn_norm: z.boolean(),
  vocab_size: z.int(),
  no_tensor_parallel: z.boolean(),
});

const caseSchema = z.object({
  name: z.string(),
  cluster_config: z.object({
    num_replicas: z.int().min(1),
    replica_config: z.object({
      model_name: z.string(),
      device: z.string(),
      memory_margin_fraction: z.number(),
      num_pipeline_stages: z.int().min(1),
      tensor_parallel_size: z.int().min(1),
      model_config: modelSchema,
      device_config: z.object({ total_memory_gb: z.number() }),
    }),
    global_scheduler_config: z.object({ name: z.enum(["lor", "round_robin", "random"]) }),
    replica_scheduler_config: z.object({
      name: z.enum(["sarathi", "vllm", "orca", "faster_transformer", "lightllm"]),
      batch_size_cap: z.int(),
      block_size: z.int(),
      watermark_blocks_fraction: z.number(),
      num_blocks: z.number().nullish(),
      chunk_size: z.int().optional(),
      max_tokens_in_batch: z.int().optional(),
      max_waiting_iters: z.int().optional(),
    }),
  }),
  request_generator_config: z.object({ max_tokens: z.int() }),
  predictor: z.object({
    kv_cache_prediction_granularity: z.int(),
    attention_decode_batching_overhead_fraction: z.number(),
    attention_prefill_batching_overhead_fraction: z.number(),
    nccl_cpu_launch_overhead_ms: z.number(),
    nccl_cpu_skew_overhead_per_device_ms: z.number(),
    skip_cpu_overhead_modeling: z.literal(true),
  }),
  result: z.object({ events: z.int(), batches: z.int(), num_blocks: z.number() }),
  tables: z.object({ compute: z.string(), attn_decode: z.string(), attn_prefill: z.string() }),
});

const batchSchema = z.object({
  batch_id: z.int(),
  replica: z.int(),
  scheduled_at: z.number(),
  end: z.number(),
  reqs: z.array(z.int()),
  tokens: z.array(z.int()),
});

/** A golden case's `case.json`, as far as the replay needs it. */
export type GoldenConfig = z.infer<typeof caseSchema>;

/** What Vidur recorded of one request. */
export type GoldenRequest = Readonly<Record<string, number>>;

/** What Vidur recorded of one batch. */
export interface GoldenBatch {
  /** Number in order of creation. */
  readonly batchIndex: number;
  /** Replica. */
  readonly replica: number;
  /** When it was formed, in seconds. */
  readonly formedSeconds: number;
  /** When it left the last stage, in seconds. */
  readonly endSeconds: number;
  /** Requests in order. */
  readonly requests: readonly number[];
  /** Tokens of each. */
  readonly tokens: readonly number[];
}

/** Everything of one case. */
export interface GoldenCase {
  /** `case.json`. */
  readonly config: GoldenConfig;
  /** `requests.csv`. */
  readonly workload: Workload;
  /** `expected_requests.csv`, by request. */
  readonly expectedRequests: readonly GoldenRequest[];
  /** `expected_batches_first3000.jsonl.gz`, in order of completion. */
  readonly expectedBatches: readonly GoldenBatch[];
  /** The replicas of the run. */
  readonly replicas: readonly ReplicaSpec[];
}

/** Tables that are shared by cases, by path. */
export type TableCache = Map<string, Promise<VidurTables>>;

/**
 * Reads a case folder.
 *
 * @param cache Keeps tables from being read again.
 * @throws {ConfigError | TraceError} When a file of the case is not as it should be.
 */
export async function readGoldenCase(folder: string, cache: TableCache): Promise<GoldenCase> {
  const text = await Deno.readTextFile(join(folder, "case.json"));
  const config = parseConfig(caseSchema, JSON.parse(text), join(folder, "case.json"));
  const requests = readRows(join(folder, "requests.csv"));
  const expectedFile = join(folder, "expected_requests.csv");
  const expectedRequests: GoldenRequest[] = [];
  for (const row of readRows(expectedFile)) expectedRequests[field(row, "request_id")] = row;
  for (let i = 0; i < requests.length; i++) {
    if (expectedRequests[i] === undefined) {
      throw new TraceError(expectedFile, 0, `no row of request ${i}`);
    }
  }
  return {
    config,
    workload: toWorkload(config.name, requests),
    expectedRequests,
    expectedBatches: await readBatches(join(folder, "expected_batches_first3000.jsonl.gz")),
    replicas: buildReplicas(config, await loadTables(config, folder, cache)),
  };
}

/** A number of a row; a missing column is an error. */
export function field(row: GoldenRequest, name: string): number {
  const value = row[name];
  if (value === undefined) throw new TraceError("golden case", 1, `no column ${name}`);
  return value;
}

function loadTables(
  config: GoldenConfig,
  folder: string,
  cache: TableCache,
): Promise<VidurTables> {
  const { compute, attn_decode: decode, attn_prefill: prefill } = config.tables;
  const granularity = config.predictor.kv_cache_prediction_granularity;
  const root = tablesRoot(folder, compute);
  const key = [root, compute, decode, prefill, granularity].join("|");
  let tables = cache.get(key);
  if (tables === undefined) {
    tables = readVidurTables({
      compute: join(root, compute),
      decode: join(root, decode),
      prefill: join(root, prefill),
    }, granularity);
    cache.set(key, tables);
  }
  return tables;
}

/** Tables lie in the case's folder or, where cases share them, beside it. */
function tablesRoot(folder: string, table: string): string {
  return existsSync(join(folder, table)) ? folder : resolve(folder, "..");
}

function buildReplicas(config: GoldenConfig, tables: VidurTables): ReplicaSpec[] {
  const { replica_config: replica, replica_scheduler_config: scheduler } = config.cluster_config;
  const {
    model_config: model,
    num_pipeline_stages: stageCount,
    tensor_parallel_size: tensorParallel,
  } = replica;
  const { predictor } = config;
  const groupedQueries = model.num_q_heads > model.num_kv_heads;
  const shard = shardModel(
    {
      name: replica.model_name,
      layers: model.num_layers,
      qHeads: model.num_q_heads,
      kvHeads: model.num_kv_heads,
      headDim: Math.floor(model.embedding_dim / model.num_q_heads),
      embeddingDim: model.embedding_dim,
      mlpHiddenDim: model.mlp_hidden_dim,
      gatedMlp: model.use_gated_mlp,
      postAttentionNorm: model.post_attn_norm,
      vocabSize: model.vocab_size,
      tensorParallel: !model.no_tensor_parallel,
    },
    tensorParallel,
    stageCount,
  );
  const { max_tokens: maxTokensPerRequest } = config.request_generator_config;
  const plan = planVidurMemory({
    shard,
    pipelineStages: stageCount,
    gpuMemoryBytes: replica.device_config.total_memory_gb * 1024 ** 3,
    memoryMarginFraction: replica.memory_margin_fraction,
    blockSize: scheduler.block_size,
    maxTokensPerRequest,
  });
  const spec: ReplicaSpec = {
    gpu: replica.device,
    model: replica.model_name,
    tensorParallel,
    stageCount,
    kvBlocks: scheduler.num_blocks ?? plan.kvBlocks,
    compat: "vidur",
    maxBatchSize: Math.min(plan.maxBatchSize, scheduler.batch_size_cap),
    scheduler: schedulerSchema.parse({
      kind: scheduler.name,
      batchSizeCap: scheduler.batch_size_cap,
      blockSize: scheduler.block_size,
      watermarkFraction: scheduler.watermark_blocks_fraction,
      chunkTokens: scheduler.chunk_size,
      maxTokensInBatch: scheduler.max_tokens_in_batch,
      maxWaitingIterations: scheduler.max_waiting_iters,
      maxTokensPerRequest,
    }),
    timer: createVidurTableTimer(tables, {
      layersPerStage: shard.layersPerStage,
      stageCount,
      tensorParallel,
      postAttentionNorm: model.post_attn_norm,
      decodeOverheadFraction: groupedQueries
        ? predictor.attention_decode_batching_overhead_fraction
        : 0,
      prefillOverheadFraction: groupedQueries
        ? predictor.attention_prefill_batching_overhead_fraction
        : 0,
      ncclLaunchMilliseconds: predictor.nccl_cpu_launch_overhead_ms,
      ncclSkewMilliseconds: predictor.nccl_cpu_skew_overhead_per_device_ms,
    }),
  };
  return Array.from({ length: config.cluster_config.num_replicas }, () => spec);
}

function toWorkload(name: string, rows: readonly GoldenRequest[]): Workload {
  return {
    name,
    count: rows.length,
    arrivalSeconds: Float64Array.from(rows, (row) => field(row, "arrived_at")),
    promptTokens: Int32Array.from(rows, (row) => field(row, "num_prefill_tokens")),
    outputTokens: Int32Array.from(rows, (row) => field(row, "num_decode_tokens")),
  };
}

function readRows(file: string): GoldenRequest[] {
  const rows: Record<string, string>[] = parse(Deno.readTextFileSync(file), { columns: true });
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, text]) => [name, text === "" ? NaN : Number(text)]),
    )
  );
}

async function readBatches(file: string): Promise<GoldenBatch[]> {
  const bytes = (await Deno.open(file)).readable.pipeThrough(new DecompressionStream("gzip"));
  const lines = (await new Response(bytes).text()).split("\n");
  return lines.filter((line) => line !== "").map((line) => {
    const batch = parseConfig(batchSchema, JSON.parse(line), file);
    return {
      batchIndex: batch.batch_id,
      replica: batch.replica,
      formedSeconds: batch.scheduled_at,
      endSeconds: batch.end,
      requests: batch.reqs,
      tokens: batch.tokens,
    };
  });
}
