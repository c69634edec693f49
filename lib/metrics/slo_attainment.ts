/**
 * How many requests were served as promised.
 *
 * @module
 */
import type { RequestOutcomes } from "../simulator/mod.ts";
import type { Workload } from "../workload/mod.ts";
import { requireSameCount } from "./requests_table.ts";

/** One limit for all requests, or one a request (`Infinity` for none), in seconds. */
export type SloTarget = number | Float64Array;

/**
 * What requests were promised; a latency without a target is not limited. `workload.slos` is of this
 * type.
 */
export interface SloTargets {
  /** Limit of the time to first token. */
  readonly ttftSeconds?: SloTarget;
  /** Limit of the time per output token after the first; outputs of one token meet any. */
  readonly tpotSeconds?: SloTarget;
  /** Limit of the end-to-end latency. */
  readonly e2eSeconds?: SloTarget;
}

/** Shares of all requests, in [0, 1]. */
export interface SloAttainment {
  /** Share that met the target of the time to first token. */
  readonly ttftFraction: number;
  /** Share that met the target of the time per output token. */
  readonly tpotFraction: number;
  /** Share that met the target of the end-to-end latency. */
  readonly e2eFraction: number;
  /** Share that met all targets. */
  readonly allFraction: number;
  /** Requests that met all targets per second of the run: the goodput. */
  readonly goodputPerSecond: number;
}

/**
 * Shares of requests that met their targets, limits included. A request that did not complete met
 * none.
 *
 * Source of the goodput: Zhong et al., "DistServe", OSDI 2024.
 *
 * @param workload The requests that were fed, at least one.
 * @param outcomes What happened to them.
 * @param targets What they were promised: `workload.slos`, or limits to try.
 * @param endSeconds End of the run, > 0.
 * @throws {RangeError} When there is no request, a target is not > 0, or the run has no duration.
 * @throws {TypeError} When the outcomes or targets are of another number of requests.
 *
 * @example
 * ```ts
 * import { measureSloAttainment } from "@signalbox/signalbox/metrics";
 * import { buildCluster, clusterSchema, Simulator } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const workload = {
 *   name: "two requests",
 *   count: 2,
 *   arrivalSeconds: Float64Array.of(0, 0),
 *   promptTokens: Int32Array.of(100, 4000),
 *   outputTokens: Int32Array.of(10, 10),
 * };
 * const { outcomes, endSeconds } = new Simulator(workload, buildCluster(clusterSchema.parse({})))
 *   .run(({ request }) => request.index);
 * const targets = { ttftSeconds: 0.1 };
 * const { ttftFraction, e2eFraction } = measureSloAttainment(workload, outcomes, targets, endSeconds);
 * assert.equal(ttftFraction, 0.5); // 4,000 prompt tokens take longer
 * assert.equal(e2eFraction, 1); // not limited
 * ```
 */
export function measureSloAttainment(
  workload: Workload,
  outcomes: RequestOutcomes,
  targets: SloTargets,
  endSeconds: number,
): SloAttainment {
  const { count, arrivalSeconds, outputTokens } = workload;
  const { firstTokenSeconds, completedSeconds } = outcomes;
  requireSameCount(workload, outcomes);
  if (count === 0 || !(endSeconds > 0)) {
    throw new RangeError(
      `Cannot measure attainment: requests and endSeconds must be > 0, current values are ${count}, ${endSeconds}`,
    );
  }
  const ttftLimit = readTarget("ttftSeconds", targets.ttftSeconds, count);
  const tpotLimit = readTarget("tpotSeconds", targets.tpotSeconds, count);
  const e2eLimit = readTarget("e2eSeconds", targets.e2eSeconds, count);
  let ttftCount = 0;
  let tpotCount = 0;
  let e2eCount = 0;
  let allCount = 0;
  for (let i = 0; i < count; i++) {
    const firstToken = firstTokenSeconds[i]!;
    const completed = completedSeconds[i]!;
    if (Number.isNaN(completed)) continue;
    const decodes = outputTokens[i]! - 1;
    const meetsTtft = firstToken - arrivalSeconds[i]! <= ttftLimit(i);
    const meetsTpot = decodes === 0 || (completed - firstToken) / decodes <= tpotLimit(i);
    const meetsE2e = completed - arrivalSeconds[i]! <= e2eLimit(i);
    if (meetsTtft) ttftCount++;
    if (meetsTpot) tpotCount++;
    if (meetsE2e) e2eCount++;
    if (meetsTtft && meetsTpot && meetsE2e) allCount++;
  }
  return {
    ttftFraction: ttftCount / count,
    tpotFraction: tpotCount / count,
    e2eFraction: e2eCount / count,
    allFraction: allCount / count,
    goodputPerSecond: allCount / endSeconds,
  };
}

/** The limit by request. */
function readTarget(
  name: string,
  target: SloTarget | undefined,
  count: number,
): (request: number) => number {
  if (target === undefined) return () => Infinity;
  if (typeof target === "number") {
    requirePositive(name, target);
    return () => target;
  }
  if (target.length !== count) {
    throw new TypeError(
      `Cannot measure attainment: ${name} must be of ${count} requests, current length is ${target.length}`,
    );
  }
  target.forEach((seconds, i) => requirePositive(`${name}[${i}]`, seconds));
  return (request) => target[request]!;
}

function requirePositive(name: string, seconds: number): void {
  if (!(seconds > 0)) {
    throw new RangeError(
      `Cannot measure attainment: ${name} must be > 0, current value is ${seconds}`,
    );
  }
}
