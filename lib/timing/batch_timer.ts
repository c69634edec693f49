/**
 * The seam between the simulator and every model of how long a batch takes.
 *
 * @module
 */

/**
 * Composition of one iteration's batch, everything that a timer may use. The simulator reuses one
 * object: a timer must not keep it.
 */
export interface BatchShape {
  /** Requests in the batch. */
  readonly requestCount: number;
  /** Tokens computed in this iteration, prefill chunks and one per decode. */
  readonly totalTokens: number;
  /** Requests whose prompt is already in the KV cache: each computes one token. */
  readonly decodeCount: number;
  /** Sum over decodes of the tokens processed before this iteration. */
  readonly decodeContextTokens: number;
  /** Largest such context, 0 without decodes. */
  readonly maxDecodeContextTokens: number;
  /** Requests that compute a part of their prompt. */
  readonly prefillCount: number;
  /** Prompt tokens already processed, of each prefill; first `prefillCount` entries are valid. */
  readonly prefillContextTokens: ArrayLike<number>;
  /** Prompt tokens computed now, of each prefill; first `prefillCount` entries are valid. */
  readonly prefillChunkTokens: ArrayLike<number>;
}

/** Where the time of a stage goes, in the order of tables. */
export const operationKinds = [
  "matmul",
  "attention",
  "elementwise",
  "communication",
  "launch",
  "sampling",
  "cpu",
] as const;

/** One of {@linkcode operationKinds}. */
export type OperationKind = typeof operationKinds[number];

/** A part of a batch's time that a timer tells apart from the rest. */
export interface OperationPart {
  /**
   * Whose time it is, names of `operations`: one, or several where only their sum is known. A
   * profile's own names are kept where they are none of these.
   */
  readonly operations: readonly [string, ...string[]];
  /** Their kind. */
  readonly kind: OperationKind;
  /** Seconds in pipeline stage `stage`, over all its layers (>= 0). */
  seconds(batch: BatchShape, stage: number): number;
}

/** How long one batch takes on one replica (one model on one kind of GPU, with its parallelism). */
export interface BatchTimer {
  /** One line for people: what the times come from, and their stated error. */
  readonly description?: string;
  /** Seconds that pipeline stage `stage` computes the batch (> 0, finite). */
  modelSeconds(batch: BatchShape, stage: number): number;
  /** Seconds of CPU work around the iteration, added to every stage (>= 0). */
  overheadSeconds(batch: BatchShape): number;
  /**
   * What the time is made of, for metrics: parts that sum to `modelSeconds + overheadSeconds`. An
   * operation in none of them takes no time, or runs inside others. Made anew by every call; absent
   * where the timer cannot tell parts apart.
   */
  operationParts?(): readonly OperationPart[];
}
