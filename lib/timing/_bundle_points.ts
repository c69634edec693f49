/**
 * Reading the measured points of profiles in the format of LLMServingSim.
 *
 * @module
 */
import { TraceError } from "../support/mod.ts";
import type { AttentionPoint } from "./_attention_grid.ts";
import type { CurvePoint } from "./_curve.ts";
import { findBundleTables } from "./_bundle_folder.ts";
import { readCsv } from "./_read_csv.ts";
import { NO_SKEW, readSkewShares, type SkewShares } from "./_skew_shares.ts";

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

/** Measured points, in seconds. */
export interface BundlePoints {
  /** Folder of the tables. */
  readonly tables: string;
  /** GPUs that share each layer in these measurements: times are of one of them. */
  readonly tensorParallel: number;
  /** By name as in `dense.csv`: operations of one layer, by tokens; `layernorm` counts both norms. */
  readonly layer: ReadonlyMap<string, readonly CurvePoint[]>;
  /** By name: embedding and last norm, by tokens. */
  readonly ends: ReadonlyMap<string, readonly CurvePoint[]>;
  /** By name: output matrix and sampler, by sequences. */
  readonly sampling: ReadonlyMap<string, readonly CurvePoint[]>;
  /** Attention of one layer. */
  readonly attention: readonly AttentionPoint[];
  /** What decodes of unequal context cost. */
  readonly skew: SkewShares;
}

/**
 * Reads `dense.csv`, `per_sequence.csv`, `attention.csv` and the skew fit, if one belongs to them.
 *
 * @param folder The folder of `meta.yaml`.
 * @param tensorParallel Degree whose tables are read, see {@linkcode findBundleTables}.
 * @throws {TraceError} When a file cannot be read, or an operation is unknown or not measured.
 */
export async function readBundlePoints(folder: string, tensorParallel = 1): Promise<BundlePoints> {
  const found = await findBundleTables(folder, tensorParallel);
  const dense = `${found.tables}/dense.csv`;
  const denseTimes = await readOperations(dense, "tokens");
  for (const operation of denseTimes.keys()) {
    if (!LAYER_OPERATIONS.includes(operation) && !END_OPERATIONS.includes(operation)) {
      throw new TraceError(dense, 0, `it has an unknown operation "${operation}"`);
    }
  }
  const perSequence = `${found.tables}/per_sequence.csv`;
  const perSequenceTimes = await readOperations(perSequence, "sequences");
  return {
    tables: found.tables,
    tensorParallel: found.tensorParallel,
    layer: byName(dense, denseTimes, LAYER_OPERATIONS),
    ends: byName(dense, denseTimes, END_OPERATIONS),
    sampling: byName(perSequence, perSequenceTimes, SAMPLING_OPERATIONS),
    attention: await readAttention(`${found.tables}/attention.csv`),
    skew: found.skewPath === undefined ? NO_SKEW : await readSkewShares(found.skewPath),
  };
}

/** Points of each operation that the model has, times how often it occurs in the list. */
function byName(
  path: string,
  times: OperationTimes,
  operations: readonly string[],
): Map<string, CurvePoint[]> {
  const names = new Set(operations.filter((name) => times.has(name) || !OPTIONAL.has(name)));
  return new Map([...names].map((name) => {
    const measured = times.get(name);
    if (measured === undefined) throw new TraceError(path, 0, `it has no time of ${name}`);
    const occurrences = operations.filter((other) => other === name).length;
    return [name, [...measured].map(([count, s]) => ({ count, seconds: occurrences * s }))];
  }));
}

/**
 * Sum of operations at every count.
 *
 * @throws {TraceError} When an operation was not measured at a count of the first.
 */
export function sumOperations(
  path: string,
  operations: ReadonlyMap<string, readonly CurvePoint[]>,
): CurvePoint[] {
  const named = [...operations].map(([name, points]) =>
    [name, new Map(points.map(({ count, seconds }) => [count, seconds]))] as const
  );
  return [...named[0]![1].keys()].map((count) => {
    let seconds = 0;
    for (const [name, byCount] of named) {
      const measured = byCount.get(count);
      if (measured === undefined) {
        throw new TraceError(path, 0, `it has no time of ${name} at ${count}`);
      }
      seconds += measured;
    }
    return { count, seconds };
  });
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

async function readAttention(path: string): Promise<AttentionPoint[]> {
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
  return points;
}
