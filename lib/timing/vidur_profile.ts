/**
 * Profiles in the format of Vidur.
 *
 * @module
 */
import { BYTES_PER_NUMBER, type ModelSpec } from "../hardware/mod.ts";
import { ConfigError } from "../support/mod.ts";
import { Curve, type CurvePoint } from "./_curve.ts";
import { type CsvRow, readCsv } from "./_read_csv.ts";
import { Surface, type SurfacePoint } from "./_surface.ts";

/** Operations of one layer in `mlp.csv`; `emb`, which runs once, is read apart. */
export const vidurLayerOperations = [
  "input_layernorm",
  "attn_pre_proj",
  "attn_rope",
  "attn_post_proj",
  "post_attention_layernorm",
  "mlp_up_proj",
  "mlp_act",
  "mlp_down_proj",
  "add",
] as const;

/** Name of an operation of one layer. */
export type VidurLayerOperation = typeof vidurLayerOperations[number];

/** Where the tables are; what is left out was not measured. */
export interface VidurProfileFiles {
  /** `compute/<device>/<model>/mlp.csv`. */
  readonly mlp: string;
  /** `compute/<device>/<model>/attention.csv`. */
  readonly attention?: string;
  /** `network/<network>/all_reduce.csv`. */
  readonly allReduce?: string;
  /** `network/<network>/send_recv.csv`. */
  readonly sendRecv?: string;
  /** `cpu_overheads.csv`. */
  readonly cpuOverheads?: string;
}

/** Which rows of the tables are wanted. */
export interface VidurProfileOptions {
  /** The model: rows of other architectures are skipped. */
  readonly model: ModelSpec;
  /** GPUs that share a layer. */
  readonly tensorParallel: number;
}

/** Measured times in seconds, interpolated; each is non-decreasing in its arguments. */
export interface VidurProfile {
  /** One operation of one layer for a number of tokens; 0 if the model lacks it. */
  operationSeconds(operation: VidurLayerOperation, tokens: number): number;
  /** All operations of one layer but attention and collectives. */
  layerSeconds(tokens: number): number;
  /** Embedding of tokens. */
  embeddingSeconds(tokens: number): number;
  /** Attention of one layer for one prompt chunk after `contextTokens` cached tokens. */
  readonly prefillSeconds: ((contextTokens: number, chunkTokens: number) => number) | undefined;
  /** Attention of one layer for decodes of equal context. */
  readonly decodeSeconds: ((decodeCount: number, contextTokens: number) => number) | undefined;
  /** One all-reduce of the activations of tokens. */
  readonly allReduceSeconds: ((tokens: number) => number) | undefined;
  /** One transfer of the activations of tokens to the next stage. */
  readonly sendRecvSeconds: ((tokens: number) => number) | undefined;
  /** CPU work of an iteration, by requests. */
  readonly cpuSeconds: ((requests: number) => number) | undefined;
}

const MILLISECOND = 1e-3;

/**
 * Reads profiling tables, medians of times in milliseconds. Attention includes the saving of keys
 * and values where it was measured.
 *
 * Source of the formats: spec/simulator.md sections 8.1 and 11.
 *
 * @throws {TraceError} When a file cannot be read or lacks a column.
 * @throws {ConfigError} When a file has no rows of the model and its parallelism.
 */
export async function readVidurProfile(
  files: VidurProfileFiles,
  options: VidurProfileOptions,
): Promise<VidurProfile> {
  const mlp = await readMlp(files.mlp, options);
  const operations = new Map<VidurLayerOperation, Curve>();
  for (const operation of vidurLayerOperations) {
    operations.set(operation, toCurve(mlp, files.mlp, options, (row) => row[operation]));
  }
  const layer = toCurve(
    mlp,
    files.mlp,
    options,
    (row) => vidurLayerOperations.reduce((sum, operation) => sum + row[operation], 0),
  );
  const embedding = toCurve(mlp, files.mlp, options, (row) => row.emb);
  const attention = files.attention === undefined
    ? undefined
    : await readAttention(files.attention, options);
  // A single GPU has nobody to reduce with.
  const allReduce = files.allReduce === undefined || options.tensorParallel === 1
    ? undefined
    : await readCollective(files.allReduce, "all_reduce", options.tensorParallel, options);
  const sendRecv = files.sendRecv === undefined
    ? undefined
    : await readCollective(files.sendRecv, "send_recv", 2, options);
  const cpu = files.cpuOverheads === undefined
    ? undefined
    : await readCpuOverheads(files.cpuOverheads, options);
  return {
    operationSeconds: (operation, tokens) => operations.get(operation)!.at(tokens),
    layerSeconds: (tokens) => layer.at(tokens),
    embeddingSeconds: (tokens) => embedding.at(tokens),
    prefillSeconds: attention && ((context, chunk) => attention.prefill.at(chunk, context)),
    decodeSeconds: attention && ((decodes, context) => attention.decode.at(decodes, context)),
    allReduceSeconds: allReduce && ((tokens) => allReduce.at(tokens)),
    sendRecvSeconds: sendRecv && ((tokens) => sendRecv.at(tokens)),
    cpuSeconds: cpu && ((requests) => cpu.at(requests)),
  };
}

type MlpRow = Readonly<Record<VidurLayerOperation | "emb" | "tokens", number>>;

/** Seconds in a column of medians; 0 where the operation does not apply. */
function median(row: CsvRow, operation: string): number {
  const column = `time_stats.${operation}.median`;
  return row.has(column) && row.text(column) !== "" ? row.number(column) * MILLISECOND : 0;
}

async function readMlp(path: string, options: VidurProfileOptions): Promise<MlpRow[]> {
  const { model, tensorParallel } = options;
  const filters = [
    ["n_head", model.qHeads],
    ["n_kv_head", model.kvHeads],
    ["n_embd", model.embeddingDim],
    ["n_expanded_embd", model.mlpHiddenDim],
    ["num_tensor_parallel_workers", tensorParallel],
  ] as const;
  const columns = ["num_tokens", ...filters.map(([column]) => column)];
  const rows: MlpRow[] = [];
  for await (const row of readCsv(path, columns)) {
    if (filters.some(([column, wanted]) => row.number(column) !== wanted)) continue;
    const times = [...vidurLayerOperations, "emb"].map((name) => [name, median(row, name)]);
    rows.push({ ...Object.fromEntries(times), tokens: row.number("num_tokens") });
  }
  return rows;
}

function toCurve(
  rows: readonly MlpRow[],
  path: string,
  options: VidurProfileOptions,
  seconds: (row: MlpRow) => number,
): Curve {
  return checkedCurve(
    rows.map((row) => ({ count: row.tokens, seconds: seconds(row) })),
    path,
    options,
  );
}

function checkedCurve(
  points: readonly CurvePoint[],
  path: string,
  options: VidurProfileOptions,
): Curve {
  if (points.some(({ count }) => count >= 1)) return new Curve(points);
  throw noRows(path, options);
}

function noRows(path: string, { model, tensorParallel }: VidurProfileOptions): ConfigError {
  return new ConfigError(
    "tensorParallel",
    tensorParallel,
    `a degree that ${path} has rows of for ${model.name}`,
  );
}

async function readAttention(
  path: string,
  options: VidurProfileOptions,
): Promise<{ prefill: Surface; decode: Surface }> {
  const { model, tensorParallel } = options;
  const filters = [
    ["n_q_head", model.qHeads],
    ["n_kv_head", model.kvHeads],
    ["n_embd", model.embeddingDim],
    ["num_tensor_parallel_workers", tensorParallel],
  ] as const;
  const keys = ["batch_size", "prefill_chunk_size", "kv_cache_size"] as const;
  const prefill: SurfacePoint[] = [];
  const decode: SurfacePoint[] = [];
  for await (const row of readCsv(path, [...keys, ...filters.map(([column]) => column)])) {
    if (filters.some(([column, wanted]) => row.number(column) !== wanted)) continue;
    const [batchSize, chunk, y] = keys.map((key) => row.number(key)) as [number, number, number];
    const saving = median(row, "attn_kv_cache_save");
    if (chunk > 0) prefill.push({ x: chunk, y, seconds: saving + median(row, "attn_prefill") });
    else decode.push({ x: batchSize, y, seconds: saving + median(row, "attn_decode") });
  }
  if (prefill.length === 0 || decode.length === 0) throw noRows(path, options);
  return { prefill: new Surface(prefill), decode: new Surface(decode) };
}

/** A collective within one node, by tokens whose activations it moves. */
async function readCollective(
  path: string,
  collective: "all_reduce" | "send_recv",
  workers: number,
  options: VidurProfileOptions,
): Promise<Curve> {
  const tokenBytes = options.model.embeddingDim * BYTES_PER_NUMBER;
  const points: CurvePoint[] = [];
  for await (const row of readCsv(path, ["size", "num_workers", "devices_per_node"])) {
    // send_recv.csv counts the devices of a node, all_reduce.csv the workers too.
    const wanted = row.number("devices_per_node") === workers &&
      row.number("num_workers") === workers;
    if (!wanted) continue;
    points.push({ count: row.number("size") / tokenBytes, seconds: median(row, collective) });
  }
  return checkedCurve(points, path, options);
}

/** Parts of the CPU work around an iteration, in milliseconds. */
const CPU_WORK = [
  "schedule_median",
  "sampler_e2e_median",
  "prepare_inputs_e2e_median",
  "process_model_outputs_median",
  "ray_comm_time_mean",
] as const;

async function readCpuOverheads(path: string, options: VidurProfileOptions): Promise<Curve> {
  const points: CurvePoint[] = [];
  const columns = [...CPU_WORK, "model_name", "batch_size", "tensor_parallel_degree"];
  for await (const row of readCsv(path, columns)) {
    const wanted = row.text("model_name") === options.model.name &&
      row.number("tensor_parallel_degree") === options.tensorParallel;
    if (!wanted) continue;
    const milliseconds = CPU_WORK.reduce((sum, column) => sum + row.number(column), 0);
    points.push({ count: row.number("batch_size"), seconds: milliseconds * MILLISECOND });
  }
  return checkedCurve(points, path, options);
}
