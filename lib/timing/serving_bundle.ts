/**
 * Profiles in the format of LLMServingSim.
 *
 * @module
 */
import { TraceError } from "../support/mod.ts";
import { AttentionGrid, type AttentionPoint } from "./_attention_grid.ts";
import { Curve, type CurvePoint } from "./_curve.ts";
import { readCsv } from "./_read_csv.ts";
import { NO_SKEW, readSkewShares, type SkewShares } from "./_skew_shares.ts";

/** Measured times of one model on one GPU, in seconds. */
export interface ServingBundle {
  /** Matrix products, norms, rotary embedding and activation of one layer, over tokens. */
  readonly layer: Curve;
  /** Embedding and last norm, over tokens. */
  readonly ends: Curve;
  /** Output matrix and sampler, over sequences. */
  readonly sampling: Curve;
  /** Attention of one layer. */
  readonly attention: AttentionGrid;
  /** What unequal contexts of decodes cost. */
  readonly skew: SkewShares;
}

/** How often an operation of `dense.csv` runs in each layer. */
const LAYER_OPERATIONS: Readonly<Record<string, number>> = {
  layernorm: 2,
  qkv_proj: 1,
  qk_norm: 1,
  rotary_emb: 1,
  o_proj: 1,
  gate_up_proj: 1,
  act_fn: 1,
  down_proj: 1,
};
const END_OPERATIONS: Readonly<Record<string, number>> = { embedding: 1, final_layernorm: 1 };
const SAMPLING_OPERATIONS: Readonly<Record<string, number>> = { lm_head: 1, sampler: 1 };

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
    if (!(operation in LAYER_OPERATIONS) && !(operation in END_OPERATIONS)) {
      throw new TraceError(dense, 0, `it has an unknown operation "${operation}"`);
    }
  }
  const perSequence = `${folder}/per_sequence.csv`;
  const perSequenceTimes = await readOperations(perSequence, "sequences");
  const skew = `${folder}/skew_fit.csv`;
  return {
    layer: sumCurves(dense, denseTimes, LAYER_OPERATIONS),
    ends: sumCurves(dense, denseTimes, END_OPERATIONS),
    sampling: sumCurves(perSequence, perSequenceTimes, SAMPLING_OPERATIONS),
    attention: await readAttention(`${folder}/attention.csv`),
    skew: await exists(skew) ? await readSkewShares(skew) : NO_SKEW,
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

/** Weighted sum of operations at every count. */
function sumCurves(
  path: string,
  times: OperationTimes,
  weights: Readonly<Record<string, number>>,
): Curve {
  const points: CurvePoint[] = [];
  const operations = Object.keys(weights).filter((name) => times.has(name) || !OPTIONAL.has(name));
  for (const count of times.get(operations[0]!)?.keys() ?? []) {
    let seconds = 0;
    for (const operation of operations) {
      const measured = times.get(operation)?.get(count);
      if (measured === undefined) {
        throw new TraceError(path, 0, `it has no time of ${operation} at ${count}`);
      }
      seconds += weights[operation]! * measured;
    }
    points.push({ count, seconds });
  }
  if (points.length === 0) throw new TraceError(path, 0, `it has no time of ${operations[0]}`);
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
