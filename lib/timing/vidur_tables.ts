/**
 * Vidur's execution times, looked up in the tables that its predictor computed.
 *
 * @module
 */
import { communicationParts, measuredPart, operationPart } from "./_operation_parts.ts";
import { vidurLayerOperations } from "./_vidur_points.ts";
import type { BatchShape, BatchTimer } from "./batch_timer.ts";

/** Per-token operations of one layer, in the order of their columns in Vidur's tables. */
export const vidurOperations = [
  "attn_pre_proj",
  "attn_post_proj",
  "attn_rope",
  "attn_kv_cache_save",
  "mlp_up_proj",
  "mlp_down_proj",
  "mlp_act",
  "input_layernorm",
  "post_attention_layernorm",
  "add",
  "send_recv",
  "all_reduce",
] as const;

/** Name of a per-token operation. */
export type VidurOperation = (typeof vidurOperations)[number];

/** Milliseconds over two keys, row-major; `NaN` where the source has no entry. */
export interface VidurGrid {
  /** Name of the table and of its keys, for errors. */
  readonly names: readonly [table: string, rowKey: string, columnKey: string];
  /** Row `r` is key `r * rowStep`. */
  readonly rowStep: number;
  /** Column `c` is key `c * columnStep`. */
  readonly columnStep: number;
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly columns: number;
  /** `[rows, columns]` milliseconds. */
  readonly milliseconds: Float64Array;
}

/** Predictions of one model on one GPU at one degree of tensor parallelism. */
export interface VidurTables {
  /** Milliseconds of each operation by number of tokens (index = tokens, `NaN` where unknown). */
  readonly compute: Readonly<Partial<Record<VidurOperation, Float64Array>>>;
  /** Decode attention: batch size x KV size. */
  readonly decode: VidurGrid;
  /** Prefill attention: KV size x chunk. */
  readonly prefill: VidurGrid;
}

/** What the tables do not say about a replica; defaults are Vidur's. */
export interface VidurTimerOptions {
  /** Layers of one pipeline stage. */
  readonly layersPerStage: number;
  /** Pipeline stages: all but the last send their output on. */
  readonly stageCount: number;
  /** GPUs that share each layer. */
  readonly tensorParallel: number;
  /** Whether the MLP has a norm of its own. */
  readonly postAttentionNorm: boolean;
  /** Extra share of decode attention for batches of more than one, 0.1 with grouped-query attention. */
  readonly decodeOverheadFraction: number;
  /** Extra share of prefill attention for more than one prompt, 0.1 with grouped-query attention. */
  readonly prefillOverheadFraction: number;
  /** Launch overhead of a collective in milliseconds. */
  readonly ncclLaunchMilliseconds: number;
  /** Skew of a collective in milliseconds, times `tensorParallel^1.25`. */
  readonly ncclSkewMilliseconds: number;
}

/**
 * Timer that reproduces Vidur's `ExecutionTime` to the last bit, given the predictor's tables:
 * per-token operations at the batch's tokens rounded up to 8, decode attention at the mean context,
 * prefill attention at the summed contexts and the root of the summed squares of the chunks. No
 * embedding, output matrix or CPU work.
 *
 * Source: spec/simulator.md sections 2 (order of the sums) and 8.3.
 *
 * @throws {TypeError} When an operation that the replica needs has no column.
 */
export function createVidurTableTimer(
  tables: VidurTables,
  options: VidurTimerOptions,
): BatchTimer {
  const { layersPerStage, stageCount } = options;
  const sums = sumOperations(tables, options);
  const operationAt = operationReader(tables, options);
  const layerSeconds = layersPerStage * 1e-3;
  return {
    modelSeconds(batch: BatchShape, stage: number): number {
      const row = (batch.totalTokens + 7) >> 3;
      const save = sums.save[batch.totalTokens];
      const projections = sums.projections[row];
      if (save === undefined || projections === undefined || projections !== projections) {
        throw new RangeError(
          `Cannot time a batch: table compute has no entry for num_tokens ${row * 8} ` +
            `(rounded up from ${batch.totalTokens}), its range is 1 .. ${sums.save.length - 1}`,
        );
      }
      const attention = projections + save +
        decodeMilliseconds(tables.decode, batch, options.decodeOverheadFraction) +
        prefillMilliseconds(tables.prefill, batch, options.prefillOverheadFraction) +
        sums.reduce[row]! + sums.attentionNorm[row]!;
      const block = attention + sums.mlp[row]! + sums.add[row]!;
      const send = stage === stageCount - 1 ? 0 : sums.send[row]!;
      return (block * layersPerStage + send) * 1e-3;
    },
    overheadSeconds: () => 0,
    operationParts: () => [
      ...vidurLayerOperations.map((name) =>
        measuredPart(
          name,
          ({ totalTokens }) => layerSeconds * operationAt(name, (totalTokens + 7) >> 3 << 3),
        )
      ),
      operationPart(
        ["attn_kv_cache_save"],
        ({ totalTokens }) => layerSeconds * operationAt("attn_kv_cache_save", totalTokens),
      ),
      operationPart(
        ["attn_prefill"],
        (batch) =>
          layerSeconds *
          prefillMilliseconds(tables.prefill, batch, options.prefillOverheadFraction),
      ),
      operationPart(
        ["attn_decode"],
        (batch) =>
          layerSeconds * decodeMilliseconds(tables.decode, batch, options.decodeOverheadFraction),
      ),
      ...communicationParts(
        options.tensorParallel > 1
          ? (tokens) => 2 * layerSeconds * sums.reduce[(tokens + 7) >> 3]!
          : undefined,
        (tokens) => sums.send[(tokens + 7) >> 3]! * 1e-3,
        stageCount,
      ),
    ],
  };
}

/** Milliseconds of one operation, 0 of a norm that the model lacks. */
function operationReader(
  { compute }: VidurTables,
  { postAttentionNorm }: VidurTimerOptions,
): (operation: VidurOperation, tokens: number) => number {
  return (operation, tokens) => {
    if (operation === "post_attention_layernorm" && !postAttentionNorm) return 0;
    const milliseconds = compute[operation]?.[tokens];
    if (milliseconds !== undefined && !Number.isNaN(milliseconds)) return milliseconds;
    throw new RangeError(
      `Cannot time a batch: table compute has no entry of ${operation} for num_tokens ${tokens}`,
    );
  };
}

/** Sums of per-token operations, by tokens / 8 (`save` by tokens), in Vidur's order of addition. */
interface OperationSums {
  readonly projections: Float64Array;
  readonly save: Float64Array;
  readonly reduce: Float64Array;
  readonly attentionNorm: Float64Array;
  readonly mlp: Float64Array;
  readonly add: Float64Array;
  readonly send: Float64Array;
}

function sumOperations(tables: VidurTables, options: VidurTimerOptions): OperationSums {
  const { tensorParallel, postAttentionNorm, stageCount } = options;
  const at = (operation: VidurOperation): Float64Array => {
    const column = tables.compute[operation];
    if (column === undefined) {
      throw new TypeError(`Cannot build a timer: table compute has no column ${operation}`);
    }
    return column;
  };
  const byEight = (value: (tokens: number) => number): Float64Array =>
    Float64Array.from({ length: ((at("add").length - 1) >> 3) + 1 }, (_, row) => value(row * 8));
  const [preProj, postProj, rope] = [at("attn_pre_proj"), at("attn_post_proj"), at("attn_rope")];
  const [up, down, act] = [at("mlp_up_proj"), at("mlp_down_proj"), at("mlp_act")];
  const [norm, add] = [at("input_layernorm"), at("add")];
  const mlpNorm = postAttentionNorm ? at("post_attention_layernorm") : undefined;
  const send = stageCount > 1 ? at("send_recv") : undefined;
  const allReduce = tensorParallel > 1 ? at("all_reduce") : undefined;
  const skew = options.ncclSkewMilliseconds * tensorParallel ** 1.25;
  const reduce = byEight((tokens) =>
    allReduce === undefined ? 0 : allReduce[tokens]! + options.ncclLaunchMilliseconds + skew
  );
  return {
    projections: byEight((tokens) => preProj[tokens]! + postProj[tokens]! + rope[tokens]!),
    save: at("attn_kv_cache_save"),
    reduce,
    attentionNorm: byEight((tokens) => norm[tokens]!),
    mlp: byEight((tokens) =>
      up[tokens]! + down[tokens]! + act[tokens]! + reduce[tokens >> 3]! +
      (mlpNorm === undefined ? 0 : mlpNorm[tokens]!)
    ),
    add: byEight((tokens) => add[tokens]!),
    send: byEight((tokens) => send === undefined ? 0 : send[tokens]!),
  };
}

function decodeMilliseconds(grid: VidurGrid, batch: BatchShape, overhead: number): number {
  const { decodeCount } = batch;
  if (decodeCount === 0) return 0;
  const context = Math.trunc(batch.decodeContextTokens / decodeCount);
  const time = lookUp(grid, decodeCount, Math.ceil(context / grid.columnStep));
  return decodeCount > 1 ? time * (1 + overhead) : time;
}

function prefillMilliseconds(grid: VidurGrid, batch: BatchShape, overhead: number): number {
  const { prefillCount, prefillContextTokens, prefillChunkTokens } = batch;
  if (prefillCount === 0) return 0;
  let contextRows = 0;
  let squares = 0;
  for (let i = 0; i < prefillCount; i++) {
    contextRows += Math.ceil(prefillContextTokens[i]! / grid.rowStep);
    squares += prefillChunkTokens[i]! * prefillChunkTokens[i]!;
  }
  const time = lookUp(grid, contextRows, Math.round(Math.sqrt(squares)));
  return prefillCount > 1 ? time * (1 + overhead) : time;
}

function lookUp(grid: VidurGrid, row: number, column: number): number {
  const time = row < grid.rows && column < grid.columns
    ? grid.milliseconds[row * grid.columns + column]!
    : NaN;
  if (time !== time) {
    const [table, rowKey, columnKey] = grid.names;
    throw new RangeError(
      `Cannot time a batch: table ${table} has no entry for ${rowKey} ${row * grid.rowStep}, ` +
        `${columnKey} ${column * grid.columnStep}; its ranges end at ` +
        `${(grid.rows - 1) * grid.rowStep}, ${(grid.columns - 1) * grid.columnStep}`,
    );
  }
  return time;
}
