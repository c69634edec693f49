/**
 * A workload in a few numbers.
 *
 * @module
 */
import { mean, quantileSorted, sampleStd } from "../stats/mod.ts";
import type { Workload } from "./workload.ts";

/** Summary of one column of lengths, in tokens. */
export interface LengthSummary {
  /** Mean. */
  readonly mean: number;
  /** Median. */
  readonly p50: number;
  /** 95th percentile. */
  readonly p95: number;
}

/** Summary of a workload. */
export interface WorkloadSummary {
  /** Number of requests. */
  readonly count: number;
  /** Seconds from the first to the last arrival. */
  readonly durationSeconds: number;
  /** `(count - 1) / durationSeconds`; `NaN` without duration. */
  readonly ratePerSecond: number;
  /** Standard deviation of the gaps between arrivals over their mean; `NaN` below 3 requests. */
  readonly interArrivalCv: number;
  /** Prompt lengths. */
  readonly promptTokens: LengthSummary;
  /** Output lengths. */
  readonly outputTokens: LengthSummary;
}

/**
 * Summarises arrivals and lengths.
 *
 * @throws {RangeError} When the workload is empty.
 *
 * @example
 * ```ts
 * import { summarizeWorkload } from "@signalbox/signalbox/workload";
 * import assert from "node:assert/strict";
 *
 * const summary = summarizeWorkload({
 *   name: "three",
 *   count: 3,
 *   arrivalSeconds: Float64Array.of(1, 2, 3),
 *   promptTokens: Int32Array.of(10, 20, 60),
 *   outputTokens: Int32Array.of(1, 2, 3),
 * });
 * assert.equal(summary.ratePerSecond, 1);
 * assert.equal(summary.promptTokens.mean, 30);
 * ```
 */
export function summarizeWorkload(workload: Workload): WorkloadSummary {
  const { count, arrivalSeconds } = workload;
  if (count === 0) {
    throw new RangeError("Cannot summarise a workload: count must be >= 1, current value is 0");
  }
  const durationSeconds = arrivalSeconds[count - 1]! - arrivalSeconds[0]!;
  const gaps = new Float64Array(count - 1);
  for (let i = 1; i < count; i++) gaps[i - 1] = arrivalSeconds[i]! - arrivalSeconds[i - 1]!;
  return {
    count,
    durationSeconds,
    ratePerSecond: durationSeconds > 0 ? (count - 1) / durationSeconds : Number.NaN,
    interArrivalCv: count >= 3 && durationSeconds > 0 ? sampleStd(gaps) / mean(gaps) : Number.NaN,
    promptTokens: summarizeLengths(workload.promptTokens),
    outputTokens: summarizeLengths(workload.outputTokens),
  };
}

function summarizeLengths(tokens: Int32Array): LengthSummary {
  const sorted = Int32Array.from(tokens).sort();
  return {
    mean: mean(sorted),
    p50: quantileSorted(sorted, 0.5),
    p95: quantileSorted(sorted, 0.95),
  };
}
