/**
 * Profiles in the format of LLMServingSim.
 *
 * @module
 */
import { TraceError } from "../support/mod.ts";
import { AttentionGrid, type AttentionPoint } from "./_attention_grid.ts";
import { Curve, type CurvePoint } from "./_curve.ts";
import { readCsv } from "./_read_csv.ts";
import { NO_SKEW, readSkewShares, skewShare } from "./_skew_shares.ts";

/** Measured times of one model on one GPU, in seconds, interpolated; each non-decreasing. */
export interface ServingBundle {
  /** Matrix products, norms, rotary embedding and activation of one layer for `tokens` tokens. */
  layerSeconds(tokens: number): number;
  /** Embedding and last norm for `tokens` tokens. */
  endSeconds(tokens: number): number;
  /** Output matrix and sampler for `sequences` sequences. */
  samplingSeconds(sequences: number): number;
  /**
   * Attention of one layer for a chunk of `chunkTokens` prompt tokens with `contextTokens` cached
   * before it, beside `decodeCount` decodes with `decodeContextTokens` cached tokens each.
   */
  attentionSeconds(
    chunkTokens: number,
    contextTokens: number,
    decodeCount: number,
    decodeContextTokens: number,
  ): number;
  /**
   * Share `a` in `t = t_mean + a (t_max - t_mean)` for decodes of unequal context, where `t_mean`
   * and `t_max` are the times at the mean and at the longest; 0 where it was not measured.
   */
  skewShare(decodeCount: number, besideChunk: boolean): number;
}

/** Operations of `dense.csv` in one layer: a norm before attention and one before the MLP. */
const LAYER_OPERATIONS = [
  "layernorm",
  "layernorm",
  "qkv_proj",
  "qk_norm",
  "rotary_emb",
  "o_proj",
  "gate_up_proj",
  "act_fn",
  "down_proj",
];
const END_OPERATIONS = ["embedding", "final_layernorm"];
const SAMPLING_OPERATIONS = ["lm_head", "sampler"];

const MICROSECOND = 1e-6;

/**
 * Reads a bundle: `dense.csv` (`layer, tokens, time_us`), `per_sequence.csv` (`layer, sequences,
 * time_us`), `attention.csv` (`prefill_chunk, kv_prefill, n_decode, kv_decode, time_us`) and, where
 * there is one, `skew_fit.csv` (`pc, n_label, skew_rate_label, alpha, n_samples`).
 * Operations of one kind must be measured at the same counts.
 *
 * Source: the profiles of LLMServingSim (KAIST CASYS), https://github.com/casys-kaist/LLMServingSim.
 *
 * @param folder The folder of one tensor-parallel degree.
 * @throws {TraceError} When a file cannot be read, or an operation is unknown or not measured.
 */
export async function readServingBundle(folder: string): Promise<ServingBundle> {
  const dense = `${folder}/dense.csv`;
  const denseTimes = await readOperations(dense, "tokens");
  for (const operation of denseTimes.keys()) {
    if (!LAYER_OPERATIONS.includes(operation) && !END_OPERATIONS.includes(operation)) {
      throw new TraceError(dense, 0, `it has an unknown operation "${operation}"`);
    }
  }
  const perSequence = `${folder}/per_sequence.csv`;
  const perSequenceTimes = await readOperations(perSequence, "sequences");
  const layer = sumCurves(dense, denseTimes, LAYER_OPERATIONS);
  const ends = sumCurves(dense, denseTimes, END_OPERATIONS);
  const sampling = sumCurves(perSequence, perSequenceTimes, SAMPLING_OPERATIONS);
  const attention = await readAttention(`${folder}/attention.csv`);
  const skewPath = `${folder}/skew_fit.csv`;
  const skew = await exists(skewPath) ? await readSkewShares(skewPath) : NO_SKEW;
  return {
    layerSeconds: (tokens) => layer.at(tokens),
    endSeconds: (tokens) => ends.at(tokens),
    samplingSeconds: (sequences) => sampling.at(sequences),
    attentionSeconds: (chunkTokens, contextTokens, decodeCount, decodeContextTokens) =>
      attention.at(chunkTokens, contextTokens, decodeCount, decodeContextTokens),
    skewShare: (decodeCount, besideChunk) => skewShare(skew, decodeCount, besideChunk),
  };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Seconds by operation and count. */
type OperationTimes = Map<string, Map<number, number>>;

async function readOperations(path: string, countColumn: string): Promise<OperationTimes> {
  const times: OperationTimes = new Map();
  for await (const row of readCsv(path, ["layer", countColumn, "time_us"])) {
    const operation = row.text("layer");
    const byCount = times.get(operation) ?? new Map<number, number>();
    byCount.set(row.number(countColumn), row.number("time_us") * MICROSECOND);
    times.set(operation, byCount);
  }
  return times;
}

/** Operations that a model may do without. */
const OPTIONAL = new Set(["qk_norm"]);

/** Sum of operations at every count. */
function sumCurves(path: string, times: OperationTimes, operations: readonly string[]): Curve {
  const present = operations.filter((name) => times.has(name) || !OPTIONAL.has(name));
  const points: CurvePoint[] = [];
  for (const count of times.get(present[0]!)?.keys() ?? []) {
    let seconds = 0;
    for (const operation of present) {
      const measured = times.get(operation)?.get(count);
      if (measured === undefined) {
        throw new TraceError(path, 0, `it has no time of ${operation} at ${count}`);
      }
      seconds += measured;
    }
    points.push({ count, seconds });
  }
  if (points.length === 0) throw new TraceError(path, 0, `it has no time of ${present[0]}`);
  return new Curve(points);
}

async function readAttention(path: string): Promise<AttentionGrid> {
  const points: AttentionPoint[] = [];
  const columns = ["prefill_chunk", "kv_prefill", "n_decode", "kv_decode", "time_us"] as const;
  for await (const row of readCsv(path, columns)) {
    points.push({
      chunkTokens: row.number("prefill_chunk"),
      contextTokens: row.number("kv_prefill"),
      decodeCount: row.number("n_decode"),
      decodeContextTokens: row.number("kv_decode"),
      seconds: row.number("time_us") * MICROSECOND,
    });
  }
  return new AttentionGrid(points);
}
