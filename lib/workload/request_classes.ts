/**
 * Kinds of requests that are promised different things.
 *
 * @module
 */
import { z } from "zod";
import type { RequestSlos, Workload } from "./workload.ts";

const targetSeconds = z.number().positive().finite().optional();

/** A class of requests; latency targets that are left out are no limit. */
export const requestClassSchema = z.strictObject({
  name: z.string().min(1).describe("For the reader of the configuration"),
  share: z.number().positive().finite().describe("Weight among the classes"),
  priority: z.int32().default(0).describe("Larger is more urgent inside a replica"),
  ttftSloSeconds: targetSeconds.describe("Limit of the time to first token"),
  tpotSloSeconds: targetSeconds.describe("Limit of the time per output token after the first"),
  e2eSloSeconds: targetSeconds.describe("Limit of the end-to-end latency"),
});

/** Validated {@linkcode requestClassSchema}. */
export type RequestClass = z.infer<typeof requestClassSchema>;

/** Fractional part of the golden ratio. */
const GOLDEN_FRACTION = (Math.sqrt(5) - 1) / 2;

/**
 * Deals the requests to classes, which set their priorities and targets. Request `i` gets the class
 * whose part of [0, 1), laid out by share, holds the fractional part of `i x golden ratio`: every
 * stretch of the workload has the shares, and a request keeps its class whatever is drawn.
 *
 * Source: additive recurrence of low discrepancy; Kuipers and Niederreiter, "Uniform Distribution
 * of Sequences", 1974, chapter 2.3.
 *
 * @param classes At least one.
 * @returns The workload with new columns; the others are its own.
 * @throws {RangeError} When there is no class, or the workload has priorities or targets already.
 *
 * @example
 * ```ts
 * import { dealRequestClasses } from "@signalbox/signalbox/workload";
 * import assert from "node:assert/strict";
 *
 * const { priority, slos } = dealRequestClasses({
 *   name: "four",
 *   count: 4,
 *   arrivalSeconds: Float64Array.of(0, 1, 2, 3),
 *   promptTokens: Int32Array.of(10, 10, 10, 10),
 *   outputTokens: Int32Array.of(5, 5, 5, 5),
 * }, [
 *   { name: "chat", share: 1, priority: 1, ttftSloSeconds: 0.5 },
 *   { name: "batch", share: 1, priority: 0 },
 * ]);
 * assert.deepEqual([...priority!], [1, 0, 1, 0]);
 * assert.deepEqual([...slos!.ttftSeconds!], [0.5, Infinity, 0.5, Infinity]);
 * ```
 */
export function dealRequestClasses(
  workload: Workload,
  classes: readonly RequestClass[],
): Workload {
  if (classes.length === 0) {
    throw new RangeError("Cannot deal classes: classes must be non-empty, current value is []");
  }
  if (workload.priority !== undefined || workload.slos !== undefined) {
    throw new RangeError(
      `Cannot deal classes: ${workload.name} must have no priorities and targets of its own`,
    );
  }
  const dealt = Array.from({ length: workload.count }, (_, i) => pickClass(classes, i));
  const column = (target: (of: RequestClass) => number | undefined): Float64Array | undefined =>
    classes.every((one) => target(one) === undefined)
      ? undefined
      : Float64Array.from(dealt, (one) => target(one) ?? Infinity);
  const ttftSeconds = column((one) => one.ttftSloSeconds);
  const tpotSeconds = column((one) => one.tpotSloSeconds);
  const e2eSeconds = column((one) => one.e2eSloSeconds);
  const slos: RequestSlos = {
    ...(ttftSeconds && { ttftSeconds }),
    ...(tpotSeconds && { tpotSeconds }),
    ...(e2eSeconds && { e2eSeconds }),
  };
  return {
    ...workload,
    priority: Int32Array.from(dealt, (one) => one.priority),
    ...(Object.keys(slos).length > 0 && { slos }),
  };
}

/** The class of a request. */
function pickClass(classes: readonly RequestClass[], request: number): RequestClass {
  const total = classes.reduce((sum, { share }) => sum + share, 0);
  let rest = (request * GOLDEN_FRACTION % 1) * total;
  return classes.find(({ share }) => (rest -= share) < 0) ?? classes[classes.length - 1]!;
}
