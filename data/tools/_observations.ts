/**
 * Measured times, read from profiling tables and engine logs, each with the batch it was measured on.
 */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { parse } from "csv-parse";
import { getModel, modelNames } from "../../lib/hardware/mod.ts";
import type { BatchShape } from "../../lib/timing/mod.ts";

/** One measured time of one layer, or of one whole iteration where a reader says so. */
export interface Observation {
  readonly model: string;
  readonly tensorParallel: number;
  readonly batch: BatchShape;
  readonly seconds: number;
}

type Row = Readonly<Record<string, string>>;

/** Reads a CSV file with a header. */
export async function readCsv(path: string): Promise<Row[]> {
  const parser = parse({ columns: (header: string[]) => header });
  pipeline(createReadStream(path), parser, () => {});
  const rows: Row[] = [];
  for await (const row of parser as AsyncIterable<Row>) rows.push(row);
  return rows;
}

/** A batch of equal decodes and at most one prompt chunk. */
function batchOf(
  decodes: number,
  decodeContext: number,
  chunk = 0,
  chunkContext = 0,
): BatchShape {
  return {
    requestCount: decodes + (chunk > 0 ? 1 : 0),
    totalTokens: decodes + chunk,
    decodeCount: decodes,
    decodeContextTokens: decodes * decodeContext,
    maxDecodeContextTokens: decodes > 0 ? decodeContext : 0,
    prefillCount: chunk > 0 ? 1 : 0,
    prefillContextTokens: [chunkContext],
    prefillChunkTokens: [chunk],
  };
}

/** Token counts at which tables are compared: about equally many per power of two. */
const TOKEN_GRID = new Set([
  ...[1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024],
  ...[1536, 2048, 3072, 4096],
]);

/** Sum of medians of Vidur's operations in seconds; an absent column counts as 0. */
function sumOperations(row: Row, operations: readonly string[]): number {
  return operations.reduce(
    (sum, operation) => sum + Number(row[`time_stats.${operation}.median`] || 0) * 1e-3,
    0,
  );
}

/** Vidur's operations between matrix products; `add` is counted once (spec section 2). */
const ELEMENTWISE = ["input_layernorm", "post_attention_layernorm", "attn_rope", "mlp_act", "add"];
const MATMUL = ["attn_pre_proj", "attn_post_proj", "mlp_up_proj", "mlp_down_proj"];

/** What a reader of per-layer tables yields. */
export interface LayerTables {
  readonly matmul: Observation[];
  readonly elementwise: Observation[];
}

/** Reads `mlp.csv` of every model in a folder of Vidur's `compute/<device>`. */
export async function readVidurLayers(folder: string): Promise<LayerTables> {
  const tables: LayerTables = { matmul: [], elementwise: [] };
  for (const model of modelNames) {
    const path = `${folder}/${model}/mlp.csv`;
    const exists = await Deno.stat(path).then(() => true, () => false);
    if (!exists) continue;
    const seen = new Set<string>();
    for (const row of await readCsv(path)) {
      const tokens = Number(row["num_tokens"]);
      const tensorParallel = Number(row["num_tensor_parallel_workers"]);
      const key = `${tokens}/${tensorParallel}`;
      if (!TOKEN_GRID.has(tokens) || seen.has(key)) continue;
      seen.add(key);
      const shared = { model, tensorParallel, batch: batchOf(tokens, 0) };
      tables.matmul.push({ ...shared, seconds: sumOperations(row, MATMUL) });
      tables.elementwise.push({ ...shared, seconds: sumOperations(row, ELEMENTWISE) });
    }
  }
  return tables;
}

/** Reads Vidur's `attention.csv`; every tenth decode row, every fifth prefill row. */
export async function readVidurAttention(path: string, model: string): Promise<Observation[]> {
  const { embeddingDim } = getModel(model);
  const observations: Observation[] = [];
  for (const [i, row] of (await readCsv(path)).entries()) {
    if (Number(row["n_embd"]) !== embeddingDim) continue;
    const chunk = Number(row["prefill_chunk_size"]);
    if (i % (chunk > 0 ? 5 : 10) !== 0) continue;
    const context = Number(row["kv_cache_size"]);
    observations.push({
      model,
      tensorParallel: Number(row["num_tensor_parallel_workers"]),
      batch: chunk > 0
        ? batchOf(0, 0, chunk, context)
        : batchOf(Number(row["batch_size"]), context),
      seconds: sumOperations(row, [chunk > 0 ? "attn_prefill" : "attn_decode"]),
    });
  }
  return observations;
}

/**
 * Reads Splitwise's measured Llama-2-70b iterations: whole prompts in one iteration, and decodes at
 * the mean context of 128 generated tokens.
 */
export async function readSplitwise(
  path: string,
  hardware: string,
): Promise<{ prompts: Observation[]; decodes: Observation[] }> {
  const result: { prompts: Observation[]; decodes: Observation[] } = { prompts: [], decodes: [] };
  for (const row of await readCsv(path)) {
    if (row["model"] !== "llama2-70b" || row["hardware"] !== hardware) continue;
    const requests = Number(row["batch_size"]);
    const promptTokens = Number(row["prompt_size"]);
    const shared = {
      model: "meta-llama/Llama-2-70b-hf",
      tensorParallel: Number(row["tensor_parallel"]),
    };
    result.prompts.push({
      ...shared,
      batch: {
        ...batchOf(0, 0, promptTokens * requests),
        requestCount: requests,
        prefillCount: requests,
        prefillContextTokens: Array<number>(requests).fill(0),
        prefillChunkTokens: Array<number>(requests).fill(promptTokens),
      },
      seconds: Number(row["prompt_time"]) * 1e-3,
    });
    result.decodes.push({
      ...shared,
      batch: batchOf(requests, promptTokens + Number(row["token_size"]) / 2),
      seconds: Number(row["token_time"]) * 1e-3,
    });
  }
  return result;
}

/** Reads collectives of Vidur's `all_reduce.csv` or `send_recv.csv` within one node: size, seconds. */
export async function readVidurCollectives(
  path: string,
  collective: "all_reduce" | "send_recv",
): Promise<{ workers: number; bytes: number; seconds: number }[]> {
  return (await readCsv(path))
    .filter((row) =>
      row["num_workers"] === row["devices_per_node"] && Number(row["size"]) <= 2 ** 26
    )
    .map((row) => ({
      workers: Number(row["num_workers"]),
      bytes: Number(row["size"]),
      seconds: sumOperations(row, [collective]),
    }));
}

/** Reads `dense.csv` of an LLMServingSim bundle; norms run twice a layer. */
export async function readBundleLayers(folder: string, model: string): Promise<LayerTables> {
  const seconds = new Map<string, number>();
  for (const row of await readCsv(`${folder}/dense.csv`)) {
    seconds.set(`${row["layer"]}/${row["tokens"]}`, Number(row["time_us"]) * 1e-6);
  }
  const tables: LayerTables = { matmul: [], elementwise: [] };
  for (const tokens of TOKEN_GRID) {
    const sum = (layers: readonly string[]): number =>
      layers.reduce((total, layer) => total + (seconds.get(`${layer}/${tokens}`) ?? Number.NaN), 0);
    const matmul = sum(["qkv_proj", "o_proj", "gate_up_proj", "down_proj"]);
    if (Number.isNaN(matmul)) continue;
    const shared = { model, tensorParallel: 1, batch: batchOf(tokens, 0) };
    tables.matmul.push({ ...shared, seconds: matmul });
    const elementwise = sum(["layernorm", "layernorm", "rotary_emb", "act_fn"]);
    tables.elementwise.push({ ...shared, seconds: elementwise });
  }
  return tables;
}

/** Reads `attention.csv` of an LLMServingSim bundle: prefill, decode and mixed batches. */
export async function readBundleAttention(folder: string, model: string): Promise<Observation[]> {
  return (await readCsv(`${folder}/attention.csv`)).map((row) => ({
    model,
    tensorParallel: 1,
    batch: batchOf(
      Number(row["n_decode"]),
      Number(row["kv_decode"]),
      Number(row["prefill_chunk"]),
      Number(row["kv_prefill"]),
    ),
    seconds: Number(row["time_us"]) * 1e-6,
  }));
}
