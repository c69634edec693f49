/**
 * The state of every request, in columns.
 *
 * @module
 */
import type { Workload } from "../workload/mod.ts";
import type { RequestOutcomes } from "./simulation.ts";

/** Marks a request that is the last of its list. */
export const END_OF_LIST = -1;

/**
 * Mutable state of all requests of a run, one typed array a field, row `i` is request `i`. In the
 * terms of spec/simulator.md section 2: `P` prompt tokens, `D` output tokens, `N` processed tokens.
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
  /** `P`: tokens to be computed before the next output token can be sampled. */
  readonly promptTokens: Int32Array;
  /** `P + D`, constant over restarts. */
  readonly totalTokens: Int32Array;
  /** `N`. */
  readonly processedTokens: Int32Array;
  /** 1 once the prompt is in the KV cache. */
  readonly isDecoding: Uint8Array;
  /** KV blocks held. */
  readonly kvBlocks: Int32Array;
  /** Next request of the waiting list that the request is in. */
  readonly next: Int32Array;
  /** Last end of a stage that computed the request, -1 before the first. */
  readonly lastStageEndSeconds: Float64Array;
  /** What is reported at the end; filled in as the run goes on. */
  readonly outcomes: RequestOutcomes;

  /** Checks the workload and sets every request to "not arrived". */
  constructor(workload: Workload) {
    const { count } = workload;
    checkWorkload(workload);
    this.count = count;
    this.arrivalSeconds = workload.arrivalSeconds;
    this.promptTokens = Int32Array.from(workload.promptTokens.subarray(0, count));
    this.totalTokens = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      this.totalTokens[i] = workload.promptTokens[i]! + workload.outputTokens[i]!;
    }
    this.processedTokens = new Int32Array(count);
    this.isDecoding = new Uint8Array(count);
    this.kvBlocks = new Int32Array(count);
    this.next = new Int32Array(count).fill(END_OF_LIST);
    this.lastStageEndSeconds = new Float64Array(count).fill(-1);
    const levels = rankPriorities(workload);
    this.level = levels.level;
    this.levelCount = levels.levelCount;
    this.outcomes = {
      replica: new Int32Array(count).fill(-1),
      scheduledSeconds: new Float64Array(count).fill(NaN),
      firstTokenSeconds: new Float64Array(count).fill(NaN),
      completedSeconds: new Float64Array(count).fill(NaN),
      executionSeconds: new Float64Array(count),
      modelExecutionSeconds: new Float64Array(count),
      preemptedSeconds: new Float64Array(count),
      restarts: new Int32Array(count),
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
