/**
 * The same requests, faster or slower.
 *
 * @module
 */
import type { Workload } from "./workload.ts";

/**
 * Stretches or compresses time so that requests arrive at a given mean rate, `(count - 1)` over the
 * time from the first to the last arrival. Bursts keep their shape.
 *
 * @returns New arrival times; the other columns are the workload's own.
 * @throws {RangeError} When the rate is not a finite number > 0, or the workload has no duration.
 *
 * @example
 * ```ts
 * import { scaleToRate } from "@signalbox/signalbox/workload";
 * import assert from "node:assert/strict";
 *
 * const faster = scaleToRate({
 *   name: "three",
 *   count: 3,
 *   arrivalSeconds: Float64Array.of(0, 1, 4),
 *   promptTokens: Int32Array.of(1, 1, 1),
 *   outputTokens: Int32Array.of(1, 1, 1),
 * }, 1);
 * assert.deepEqual([...faster.arrivalSeconds], [0, 0.5, 2]);
 * ```
 */
export function scaleToRate(workload: Workload, ratePerSecond: number): Workload {
  if (!(ratePerSecond > 0) || !Number.isFinite(ratePerSecond)) {
    throw new RangeError(
      `Cannot scale a workload: ratePerSecond must be a finite number > 0, current value is ${ratePerSecond}`,
    );
  }
  const { count, arrivalSeconds } = workload;
  const duration = count > 0 ? arrivalSeconds[count - 1]! - arrivalSeconds[0]! : 0;
  if (!(duration > 0)) {
    throw new RangeError(
      `Cannot scale a workload: its duration must be > 0 s, current value is ${duration}`,
    );
  }
  const factor = (count - 1) / duration / ratePerSecond;
  return { ...workload, arrivalSeconds: arrivalSeconds.map((seconds) => seconds * factor) };
}
