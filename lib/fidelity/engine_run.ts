/**
 * Logs of a serving engine.
 *
 * @module
 */
import { z } from "zod";
import { getGpu, getModel, shardModel } from "../hardware/mod.ts";
import { planKvBlocks, type SchedulerConfig, schedulerSchema } from "../simulator/mod.ts";
import { readJsonLines, TraceError } from "../support/mod.ts";
import type { Workload } from "../workload/mod.ts";

/** Latencies of each request in seconds, `[count]`. */
export interface RequestLatencies {
  /** Arrival to first token. */
  readonly ttft: Float64Array;
  /** Time per output token after the first; `NaN` where there is only one. */
  readonly tpot: Float64Array;
  /** Arrival to last token. */
  readonly e2e: Float64Array;
}

/** One run of vLLM on one kind of GPU. */
export interface EngineRun {
  /** Requests in order of arrival at the engine; the first arrives at 0. */
  readonly workload: Workload;
  /** What the engine took. */
  readonly measured: RequestLatencies;
  /** Kind of GPU, a name of the hardware catalogue. */
  readonly gpu: string;
  /** Served model, a name of the hardware catalogue. */
  readonly model: string;
  /** GPUs that share each layer. */
  readonly tensorParallel: number;
  /** The engine's own settings. */
  readonly scheduler: SchedulerConfig;
  /** KV blocks that requests may use. */
  readonly kvBlocks: number;
}

const seconds = z.number();
const tokens = z.int().min(1);

/** A line of `requests.jsonl`; `queued_ts` and later ones are of one monotonic clock. */
const requestSchema = z.object({
  input_toks: tokens,
  output_toks: tokens,
  queued_ts: seconds,
  first_token_ts: seconds,
  last_token_ts: seconds,
});

const limit = z.int().min(1).nullish();

/** What is used of `meta.json`: the settings as given, and as the engine resolved them. */
const metaSchema = z.object({
  model: z.string(),
  engine_kwargs: z.object({
    tensor_parallel_size: z.int().min(1).default(1),
    max_num_seqs: limit,
    max_num_batched_tokens: limit,
  }),
  kv_cache: z.object({
    num_gpu_blocks: z.int().min(2).nullish(),
    block_size: limit,
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

/** What is used of `cluster.json`; memory in GiB. */
const clusterSchema = z.object({
  nodes: z.tuple([z.object({
    instances: z.tuple([z.object({
      hardware: z.string(),
      npu_mem: z.object({ mem_size: z.number().positive(), mem_util: z.number().gt(0).max(1) }),
    })]),
  })]),
});

/**
 * Reads a run as the benchmark of LLMServingSim records it: `requests.jsonl` (a line a request with
 * `input_toks`, `output_toks` and time stamps in seconds), `meta.json` (the engine's settings) and
 * `cluster.json` (GPU and memory).
 *
 * KV blocks are the engine's, less the one that vLLM keeps to stand for "none" (`v1/core/
 * block_pool.py`); where the engine did not log them, what fits beside the weights in the share of
 * memory that `cluster.json` states. Other settings that were not logged are vLLM's defaults.
 *
 * @param folder Folder of the three files.
 * @throws {TraceError} When a file cannot be read, is no such file, or a request's times decrease.
 * @throws {ConfigError} When GPU or model are not in the hardware catalogue.
 */
export async function readEngineRun(folder: string): Promise<EngineRun> {
  const metaPath = `${folder}/meta.json`;
  const meta = await readJson(metaPath, metaSchema);
  const cluster = await readJson(`${folder}/cluster.json`, clusterSchema);
  const { hardware, npu_mem: memory } = cluster.nodes[0].instances[0];
  const { engine_kwargs: given, kv_cache: cache, resolved_config: resolved } = meta;
  const gpu = getGpu(hardware.toLowerCase()).name;
  const model = getModel(meta.model);
  const scheduler = schedulerSchema.parse({
    kind: "vllm_v1",
    batchSizeCap: limitOf(meta, "max_num_seqs", metaPath),
    chunkTokens: limitOf(meta, "max_num_batched_tokens", metaPath),
    blockSize: cache?.block_size ?? undefined,
    prefixCaching: cache?.enable_prefix_caching ?? undefined,
    reserveWholePrompt: resolved?.scheduler_config.scheduler_reserve_full_isl ?? undefined,
  });
  const tensorParallel = given.tensor_parallel_size;
  const loggedBlocks = cache?.num_gpu_blocks ?? undefined;
  const kvBlocks = loggedBlocks === undefined
    ? planKvBlocks({
      shard: shardModel(model, tensorParallel, 1),
      pipelineStages: 1,
      gpuMemoryBytes: memory.mem_size * 2 ** 30,
      memoryMarginFraction: 1 - memory.mem_util,
      blockSize: scheduler.blockSize,
    })
    : loggedBlocks - 1;
  const requests = await readRequests(`${folder}/requests.jsonl`);
  return { ...requests, gpu, model: model.name, tensorParallel, scheduler, kvBlocks };
}

/** A limit as the engine resolved it, else as it was given. */
function limitOf(
  meta: z.infer<typeof metaSchema>,
  name: "max_num_seqs" | "max_num_batched_tokens",
  path: string,
): number {
  const value = meta.resolved_config?.scheduler_config[name] ?? meta.engine_kwargs[name];
  if (typeof value !== "number") throw new TraceError(path, 0, `it must state ${name}`);
  return value;
}

type LoggedRequest = z.infer<typeof requestSchema>;

async function readRequests(path: string): Promise<Pick<EngineRun, "workload" | "measured">> {
  const requests: LoggedRequest[] = [];
  for await (const { line, value } of readJsonLines(path)) {
    const request = parseAs(requestSchema, value, path, line);
    const { queued_ts: queued, first_token_ts: first, last_token_ts: last } = request;
    if (!(queued <= first && first <= last)) {
      const times = `${queued}, ${first}, ${last}`;
      throw new TraceError(path, line, `times must not decrease, current values are ${times}`);
    }
    requests.push(request);
  }
  if (requests.length === 0) throw new TraceError(path, 0, "there must be at least one request");
  requests.sort((a, b) => a.queued_ts - b.queued_ts);
  const start = requests[0]!.queued_ts;
  const column = (of: (request: LoggedRequest) => number): Float64Array =>
    Float64Array.from(requests, of);
  return {
    workload: {
      name: path,
      count: requests.length,
      arrivalSeconds: column((request) => request.queued_ts - start),
      promptTokens: Int32Array.from(requests, (request) => request.input_toks),
      outputTokens: Int32Array.from(requests, (request) => request.output_toks),
    },
    measured: {
      ttft: column((request) => request.first_token_ts - request.queued_ts),
      // 0 / 0 where there is one token.
      tpot: column((request) =>
        (request.last_token_ts - request.first_token_ts) / (request.output_toks - 1)
      ),
      e2e: column((request) => request.last_token_ts - request.queued_ts),
    },
  };
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  let value: unknown;
  try {
    value = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new TraceError(path, 0, `the file cannot be read (${(error as Error).message})`);
  }
  return parseAs(schema, value, path, 0);
}

function parseAs<T>(schema: z.ZodType<T>, value: unknown, path: string, line: number): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path: field, message } = parsed.error.issues[0]!;
  throw new TraceError(path, line, `${field.join(".") || "the value"}: ${message}`);
}
