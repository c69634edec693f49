/**
 * The state of every request, in columns.
 *
 * @module
 */
import type { Workload } from "../workload/mod.ts";
import type { RequestOutcomes } from "./simulation.ts";

/** Marks a request that is the last of its list. */
export const END_OF_LIST = -1;

/** Fields of a row of {@linkcode RequestTable.tokens}. */
export const PROMPT = 0;
/** See {@linkcode PROMPT}. */
export const TOTAL = 1;
/** See {@linkcode PROMPT}. */
export const PROCESSED = 2;
/** See {@linkcode PROMPT}. */
export const KV_BLOCKS = 3;

/** Fields of a row of {@linkcode RequestTable.seconds}. */
export const LAST_STAGE_END = 0;
/** See {@linkcode LAST_STAGE_END}. */
export const EXECUTION = 1;
/** See {@linkcode LAST_STAGE_END}. */
export const MODEL_EXECUTION = 2;
/** See {@linkcode LAST_STAGE_END}. */
export const PREEMPTED = 3;

/** Binary logarithm of the row length of both tables: row `i` starts at `i << ROW_SHIFT`. */
export const ROW_SHIFT = 2;

/**
 * Mutable state of all requests of a run. What an iteration touches of a request lies together, one
 * row of four integers and one of four doubles, so that a large cluster, whose replicas pick their
 * requests from all over the table, misses the cache twice a request and not ten times. In the terms
 * of spec/simulator.md section 2: `P` prompt tokens, `D` output tokens, `N` processed tokens.
 */
export class RequestTable {
  /** Number of requests. */
  readonly count: number;
  /** Arrival times in seconds; the workload's own array, never written. */
  readonly arrivalSeconds: Float64Array;
  /** Priority level, 0 the most urgent; `undefined` when all are equal. */
  readonly level: Int32Array | undefined;
  /** Number of distinct priorities. */
  readonly levelCount: number;
  /**
   * `[count, 4]`: `PROMPT` is `P`, to be computed before the next output token can be sampled;
   * `TOTAL` is `P + D`, constant over restarts; `PROCESSED` is `N`, which skips `P` and so tells
   * decoding (`N > P`) from not; `KV_BLOCKS` are held.
   */
  readonly tokens: Int32Array;
  /**
   * `[count, 4]`: `LAST_STAGE_END` of a stage that computed the request, -1 before the first;
   * `EXECUTION`, `MODEL_EXECUTION` and `PREEMPTED` sums as in `RequestOutcomes`.
   */
  readonly seconds: Float64Array;
  /** Next request of the waiting list that the request is in. */
  readonly next: Int32Array;
  /** Replica, -1 for none. */
  readonly replica: Int32Array;
  /** First time in a batch, `NaN` before. */
  readonly scheduledSeconds: Float64Array;
  /** First completion of the prompt, `NaN` before. */
  readonly firstTokenSeconds: Float64Array;
  /** Completion, `NaN` before. */
  readonly completedSeconds: Float64Array;
  /** Preemptions with recomputation. */
  readonly restarts: Int32Array;

  /** Checks the workload and sets every request to "not arrived". */
  constructor(workload: Workload) {
    const { count, promptTokens, outputTokens } = workload;
    checkWorkload(workload);
    this.count = count;
    this.arrivalSeconds = workload.arrivalSeconds;
    this.tokens = new Int32Array(count << ROW_SHIFT);
    this.seconds = new Float64Array(count << ROW_SHIFT);
    for (let i = 0; i < count; i++) {
      const row = i << ROW_SHIFT;
      this.tokens[row + PROMPT] = promptTokens[i]!;
      this.tokens[row + TOTAL] = promptTokens[i]! + outputTokens[i]!;
      this.seconds[row + LAST_STAGE_END] = -1;
    }
    this.next = new Int32Array(count).fill(END_OF_LIST);
    const levels = rankPriorities(workload);
    this.level = levels.level;
    this.levelCount = levels.levelCount;
    this.replica = new Int32Array(count).fill(-1);
    this.scheduledSeconds = new Float64Array(count).fill(NaN);
    this.firstTokenSeconds = new Float64Array(count).fill(NaN);
    this.completedSeconds = new Float64Array(count).fill(NaN);
    this.restarts = new Int32Array(count);
  }

  /** `P` of a request. */
  prompt(request: number): number {
    return this.tokens[(request << ROW_SHIFT) + PROMPT]!;
  }

  /** `P + D` of a request. */
  total(request: number): number {
    return this.tokens[(request << ROW_SHIFT) + TOTAL]!;
  }

  /** `N` of a request. */
  processed(request: number): number {
    return this.tokens[(request << ROW_SHIFT) + PROCESSED]!;
  }

  /** KV blocks that a request holds. */
  kvBlocks(request: number): number {
    return this.tokens[(request << ROW_SHIFT) + KV_BLOCKS]!;
  }

  /** Whether the prompt of a request is in the KV cache. */
  isDecoding(request: number): boolean {
    return this.processed(request) > this.prompt(request);
  }

  /** `P` of all requests, `[count]`, a copy. */
  promptColumn(): Int32Array {
    return Int32Array.from({ length: this.count }, (_, i) => this.prompt(i));
  }

  /** What has happened so far, a copy. */
  outcomes(): RequestOutcomes {
    const { count, seconds } = this;
    const executionSeconds = new Float64Array(count);
    const modelExecutionSeconds = new Float64Array(count);
    const preemptedSeconds = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const row = i << ROW_SHIFT;
      executionSeconds[i] = seconds[row + EXECUTION]!;
      modelExecutionSeconds[i] = seconds[row + MODEL_EXECUTION]!;
      preemptedSeconds[i] = seconds[row + PREEMPTED]!;
    }
    return {
      replica: this.replica.slice(),
      scheduledSeconds: this.scheduledSeconds.slice(),
      firstTokenSeconds: this.firstTokenSeconds.slice(),
      completedSeconds: this.completedSeconds.slice(),
      executionSeconds,
      modelExecutionSeconds,
      preemptedSeconds,
      restarts: this.restarts.slice(),
    };
  }
}

/** Refuses what the event loop could not order or finish. */
function checkWorkload(workload: Workload): void {
  const { count, arrivalSeconds, promptTokens, outputTokens, priority } = workload;
  const columns = { arrivalSeconds, promptTokens, outputTokens, ...(priority && { priority }) };
  for (const [name, column] of Object.entries(columns)) {
    if (column.length < count) {
      throw new RangeError(
        `Cannot simulate: workload.${name} must have ${count} rows, current value is ${column.length}`,
      );
    }
  }
  let previous = 0;
  for (let i = 0; i < count; i++) {
    const arrival = arrivalSeconds[i]!;
    if (!(arrival >= previous) || arrival === Infinity) {
      throw new RangeError(
        `Cannot simulate: workload.arrivalSeconds[${i}] must be finite and >= ${previous}, current value is ${arrival}`,
      );
    }
    previous = arrival;
    checkTokens("promptTokens", i, promptTokens[i]!);
    checkTokens("outputTokens", i, outputTokens[i]!);
  }
}

function checkTokens(column: string, row: number, tokens: number): void {
  if (tokens < 1) {
    throw new RangeError(
      `Cannot simulate: workload.${column}[${row}] must be >= 1, current value is ${tokens}`,
    );
  }
}

/** Maps priorities to dense levels, the largest priority to level 0. */
function rankPriorities(workload: Workload): { level: Int32Array | undefined; levelCount: number } {
  const priority = workload.priority?.subarray(0, workload.count);
  if (priority === undefined) return { level: undefined, levelCount: 1 };
  const distinct = [...new Set(priority)].sort((a, b) => b - a);
  if (distinct.length <= 1) return { level: undefined, levelCount: 1 };
  const levelOf = new Map(distinct.map((value, level) => [value, level]));
  return { level: priority.map((value) => levelOf.get(value)!), levelCount: distinct.length };
}
