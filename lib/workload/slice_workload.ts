/**
 * Stretches of a workload in time.
 *
 * @module
 */
import { lowerBound } from "../stats/mod.ts";
import { sliceHashes } from "./_prefix_hashes.ts";
import { mapSlos } from "./_request_slos.ts";
import type { Workload } from "./workload.ts";

/**
 * The requests with indices in `[from, to)`, with times counted from `originSeconds`.
 *
 * @param origin Subtracted from every arrival; at most the arrival of request `from`.
 * @returns New arrival times; the other columns are views of the workload's.
 */
function subrange(workload: Workload, from: number, to: number, origin: number): Workload {
  const { name, priority, slos, prefixHashes } = workload;
  return {
    name,
    count: to - from,
    arrivalSeconds: workload.arrivalSeconds.slice(from, to).map((seconds) => seconds - origin),
    promptTokens: workload.promptTokens.subarray(from, to),
    outputTokens: workload.outputTokens.subarray(from, to),
    ...(priority === undefined ? {} : { priority: priority.subarray(from, to) }),
    ...(slos && { slos: mapSlos(slos, (column) => column.subarray(from, to)) }),
    ...(prefixHashes && { prefixHashes: sliceHashes(prefixHashes, from, to) }),
  };
}

/**
 * The requests that arrive in `[startSeconds, endSeconds)`, with times counted from `startSeconds`.
 *
 * @returns New arrival times; the other columns are views of the workload's. May be empty.
 * @throws {RangeError} When the bounds are not `0 <= start <= end`.
 */
export function sliceByTime(
  workload: Workload,
  startSeconds: number,
  endSeconds: number,
): Workload {
  if (!(startSeconds >= 0) || !(endSeconds >= startSeconds)) {
    throw new RangeError(
      `Cannot slice a workload: bounds must be 0 <= start <= end, current values are ${startSeconds}, ${endSeconds}`,
    );
  }
  const from = lowerBound(workload.arrivalSeconds, startSeconds);
  return subrange(workload, from, lowerBound(workload.arrivalSeconds, endSeconds), startSeconds);
}

/**
 * `count` consecutive requests from index `start` on, with times counted from the arrival before
 * them (from the first's own, if there is none), so that the first gap is one of the workload's.
 *
 * @returns New arrival times; the other columns are views of the workload's.
 * @throws {RangeError} When the range is not within the workload.
 */
export function sliceByCount(workload: Workload, start: number, count: number): Workload {
  if (!Number.isInteger(start) || !Number.isInteger(count) || start < 0 || count < 0) {
    throw new RangeError(
      `Cannot slice a workload: start and count must be integers >= 0, current values are ${start}, ${count}`,
    );
  }
  if (start + count > workload.count) {
    throw new RangeError(
      `Cannot slice a workload: start + count must be <= ${workload.count}, current value is ${
        start + count
      }`,
    );
  }
  if (count === 0) return subrange(workload, start, start, 0);
  return subrange(
    workload,
    start,
    start + count,
    workload.arrivalSeconds[Math.max(0, start - 1)]!,
  );
}

/** Three stretches of one workload, one after the other in time. */
export interface WorkloadSplit {
  /** To learn from. */
  readonly train: Workload;
  /** To choose between checkpoints with. */
  readonly validation: Workload;
  /** To report on, once. */
  readonly test: Workload;
}

/** Shares of the duration; what is left is the test stretch. */
export interface SplitOptions {
  /** Share of the training stretch, in [0, 1]. */
  readonly trainFraction: number;
  /** Share of the validation stretch, in [0, 1]. */
  readonly validationFraction: number;
}

/**
 * Splits a workload by time: training first, then validation, then test, so that nothing is learnt
 * from the future.
 *
 * @throws {RangeError} When a share is negative or they sum to more than 1.
 *
 * @example
 * ```ts
 * import { splitByTime } from "@signalbox/signalbox/workload";
 * import assert from "node:assert/strict";
 *
 * const { train, test } = splitByTime({
 *   name: "four",
 *   count: 4,
 *   arrivalSeconds: Float64Array.of(0, 2, 7, 10),
 *   promptTokens: Int32Array.of(1, 2, 3, 4),
 *   outputTokens: Int32Array.of(1, 1, 1, 1),
 * }, { trainFraction: 0.5, validationFraction: 0 });
 * assert.deepEqual([...train.promptTokens], [1, 2]);
 * assert.deepEqual([...test.arrivalSeconds], [2, 5]); // counted from second 5
 * ```
 */
export function splitByTime(workload: Workload, options: SplitOptions): WorkloadSplit {
  const { trainFraction, validationFraction } = options;
  if (
    !(trainFraction >= 0) || !(validationFraction >= 0) || trainFraction + validationFraction > 1
  ) {
    throw new RangeError(
      `Cannot split a workload: the fractions must be >= 0 with a sum <= 1, current values are ${trainFraction}, ${validationFraction}`,
    );
  }
  const first = workload.arrivalSeconds[0] ?? 0;
  const duration = (workload.arrivalSeconds[workload.count - 1] ?? 0) - first;
  const trainEnd = first + duration * trainFraction;
  const validationEnd = first + duration * (trainFraction + validationFraction);
  const atTrainEnd = trainFraction === 1
    ? workload.count
    : lowerBound(workload.arrivalSeconds, trainEnd);
  const atValidationEnd = trainFraction + validationFraction === 1
    ? workload.count
    : lowerBound(workload.arrivalSeconds, validationEnd);
  return {
    train: subrange(workload, 0, atTrainEnd, first),
    validation: subrange(workload, atTrainEnd, atValidationEnd, trainEnd),
    test: subrange(workload, atValidationEnd, workload.count, validationEnd),
  };
}
