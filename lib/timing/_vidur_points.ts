/**
 * Reading the measured points of profiles in the format of Vidur.
 *
 * @module
 */
import { BYTES_PER_NUMBER, type ModelSpec } from "../hardware/mod.ts";
import { ConfigError } from "../support/mod.ts";
import type { CurvePoint } from "./_curve.ts";
import { type CsvRow, readCsv } from "./_read_csv.ts";
import type { SurfacePoint } from "./_surface.ts";

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

/** Measured points, in seconds; what has no table is `undefined`. */
export interface VidurPoints {
  /** By tokens; operations that the model lacks are 0. */
  readonly operations: Readonly<Record<VidurLayerOperation, readonly CurvePoint[]>>;
  /** Embedding, by tokens. */
  readonly embedding: readonly CurvePoint[];
  /** Attention of one prompt chunk: x = its tokens, y = cached tokens before it. */
  readonly prefill: readonly SurfacePoint[] | undefined;
  /** Attention of equal decodes: x = their number, y = cached tokens of each. */
  readonly decode: readonly SurfacePoint[] | undefined;
  /** One all-reduce, by tokens whose activations it sums. */
  readonly allReduce: readonly CurvePoint[] | undefined;
  /** One transfer to the next stage, by tokens. */
  readonly sendRecv: readonly CurvePoint[] | undefined;
  /** CPU work of an iteration, by requests. */
  readonly cpu: readonly CurvePoint[] | undefined;
}

const MILLISECOND = 1e-3;

/**
 * Reads profiling tables, medians of times in milliseconds.
 *
 * Source of the formats: spec/simulator.md sections 8.1 and 11.
 *
 * @throws {TraceError} When a file cannot be read or lacks a column.
 * @throws {ConfigError} When a file has no rows of the model and its parallelism.
 */
export async function readVidurPoints(
  files: VidurProfileFiles,
  options: VidurProfileOptions,
): Promise<VidurPoints> {
  const rows = await readMlp(files.mlp, options);
  const points = (name: VidurLayerOperation | "emb"): CurvePoint[] =>
    checked(rows.map((row) => ({ count: row.tokens, seconds: row[name] })), files.mlp, options);
  const attention = files.attention === undefined
    ? undefined
    : await readAttention(files.attention, options);
  return {
    operations: Object.fromEntries(
      vidurLayerOperations.map((name) => [name, points(name)]),
    ) as unknown as VidurPoints["operations"],
    embedding: points("emb"),
    prefill: attention?.prefill,
    decode: attention?.decode,
    // A single GPU has nobody to reduce with.
    allReduce: files.allReduce === undefined || options.tensorParallel === 1
      ? undefined
      : await readCollective(files.allReduce, "all_reduce", options.tensorParallel, options),
    sendRecv: files.sendRecv === undefined
      ? undefined
      : await readCollective(files.sendRecv, "send_recv", 2, options),
    cpu: files.cpuOverheads === undefined
      ? undefined
      : await readCpuOverheads(files.cpuOverheads, options),
  };
}

type MlpRow = Readonly<Record<VidurLayerOperation | "emb" | "tokens", number>>;

/** Seconds in a column of medians; 0 where the operation does not apply. */
function median(row: CsvRow, operation: string): number {
  const column = `time_stats.${operation}.median`;
  return row.has(column) && row.text(column) !== "" ? row.number(column) * MILLISECOND : 0;
}

/** Columns of `mlp.csv` that tell architectures apart, with a model's values. */
function mlpFilters(model: ModelSpec): Filter[] {
  return [
    ["n_head", model.qHeads],
    ["n_kv_head", model.kvHeads],
    ["n_embd", model.embeddingDim],
    ["n_expanded_embd", model.mlpHiddenDim],
  ];
}

/** Columns of `attention.csv` that tell architectures apart, with a model's values. */
function attentionFilters(model: ModelSpec): Filter[] {
  return [
    ["n_q_head", model.qHeads],
    ["n_kv_head", model.kvHeads],
    ["n_embd", model.embeddingDim],
  ];
}

/**
 * Degrees of tensor parallelism at which a model was profiled, increasing, by table. Only those of
 * `mlp.csv` can be read.
 */
export async function readVidurDegrees(
  files: VidurProfileFiles,
  model: ModelSpec,
): Promise<Record<"mlp" | "attention" | "allReduce" | "cpuOverheads", number[]>> {
  const workers = "num_tensor_parallel_workers";
  const { mlp, attention, allReduce, cpuOverheads } = files;
  return {
    mlp: await readDegrees(mlp, mlpFilters(model), workers),
    attention: await readDegrees(attention, attentionFilters(model), workers),
    allReduce: await readDegrees(allReduce, [], "num_workers", "devices_per_node"),
    cpuOverheads: await readDegrees(
      cpuOverheads,
      [["model_name", model.name]],
      "tensor_parallel_degree",
    ),
  };
}

type Filter = readonly [column: string, wanted: number | string];

/** Values of a column, in rows that agree with the filters and have the same in another column. */
async function readDegrees(
  path: string | undefined,
  filters: readonly Filter[],
  column: string,
  equal = column,
): Promise<number[]> {
  if (path === undefined) return [];
  const degrees = new Set<number>();
  for await (const row of readCsv(path, [column, equal, ...filters.map(([name]) => name)])) {
    const isOther = filters.some(([name, wanted]) =>
      typeof wanted === "number" ? row.number(name) !== wanted : row.text(name) !== wanted
    );
    if (!isOther && row.number(column) === row.number(equal)) degrees.add(row.number(column));
  }
  return [...degrees].sort((a, b) => a - b);
}

async function readMlp(path: string, options: VidurProfileOptions): Promise<MlpRow[]> {
  const filters = [
    ...mlpFilters(options.model),
    ["num_tensor_parallel_workers", options.tensorParallel],
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

/** Points that make a curve, or an error that says what is missing. */
function checked(
  points: CurvePoint[],
  path: string,
  options: VidurProfileOptions,
): CurvePoint[] {
  if (points.some(({ count }) => count >= 1)) return points;
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
): Promise<{ prefill: SurfacePoint[]; decode: SurfacePoint[] }> {
  const filters = [
    ...attentionFilters(options.model),
    ["num_tensor_parallel_workers", options.tensorParallel],
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
  return { prefill, decode };
}

/** A collective within one node, by tokens whose activations it moves. */
async function readCollective(
  path: string,
  collective: "all_reduce" | "send_recv",
  workers: number,
  options: VidurProfileOptions,
): Promise<CurvePoint[]> {
  const tokenBytes = options.model.embeddingDim * BYTES_PER_NUMBER;
  const points: CurvePoint[] = [];
  for await (const row of readCsv(path, ["size", "num_workers", "devices_per_node"])) {
    // send_recv.csv counts the devices of a node, all_reduce.csv the workers too.
    const wanted = row.number("devices_per_node") === workers &&
      row.number("num_workers") === workers;
    if (!wanted) continue;
    points.push({ count: row.number("size") / tokenBytes, seconds: median(row, collective) });
  }
  return checked(points, path, options);
}

/** Columns of the CPU work around an iteration, in milliseconds. */
const CPU_COLUMNS = [
  "schedule_median",
  "sampler_e2e_median",
  "prepare_inputs_e2e_median",
  "process_model_outputs_median",
  "ray_comm_time_mean",
];

/** CPU work of an iteration, by requests. */
async function readCpuOverheads(
  path: string,
  options: VidurProfileOptions,
): Promise<CurvePoint[]> {
  const points: CurvePoint[] = [];
  const columns = [...CPU_COLUMNS, "model_name", "batch_size", "tensor_parallel_degree"];
  for await (const row of readCsv(path, columns)) {
    const wanted = row.text("model_name") === options.model.name &&
      row.number("tensor_parallel_degree") === options.tensorParallel;
    if (!wanted) continue;
    const milliseconds = CPU_COLUMNS.reduce((sum, column) => sum + row.number(column), 0);
    points.push({ count: row.number("batch_size"), seconds: milliseconds * MILLISECOND });
  }
  return checked(points, path, options);
}
