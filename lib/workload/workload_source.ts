/**
 * One way to get requests, wherever they come from.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { checkExtent, generateWorkload, type WorkloadExtent } from "./generate_workload.ts";
import { limitTokens } from "./limit_tokens.ts";
import { readTrace } from "./read_trace.ts";
import { dealRequestClasses } from "./request_classes.ts";
import { scaleToRate } from "./scale_to_rate.ts";
import { sliceByCount, sliceByTime, splitByTime } from "./slice_workload.ts";
import type { TraceWorkloadConfig, WorkloadConfig } from "./workload_config.ts";
import type { Workload } from "./workload.ts";

/** Stretch of a trace in time: what is learnt from is never reported on. */
export type WorkloadPart = "all" | "train" | "validation" | "test";

/** Yields workloads, as many as there are seeds. */
export interface WorkloadSource {
  /** Name of the workload, for tables and plots. */
  readonly name: string;
  /**
   * Draws a workload that starts at time 0: generated requests, or a stretch of the trace at a
   * random place.
   *
   * @param rng Equal seeds give equal workloads; not drawn from itself.
   * @param extent How much of it.
   * @param part Part of a trace to draw from. Generated workloads ignore it: their seeds keep parts
   *   apart.
   * @throws {RangeError} When the extent is not positive or exceeds that part of the trace.
   */
  sample(rng: Rng, extent: WorkloadExtent, part: WorkloadPart): Workload;
  /**
   * A whole part of the trace in order; absent where requests are generated, which have no end.
   */
  whole?(part: WorkloadPart): Workload;
}

/**
 * Opens a workload: reads the trace, if it is one, applies its token limit, scales it to its rate
 * and deals its classes, in this order, before it is split into parts.
 *
 * @throws {TraceError} When the trace cannot be read.
 * @throws {RangeError} When a request is longer than allowed, the trace has no duration to scale, or
 *   it has priorities or targets of its own beside configured classes.
 *
 * @example
 * ```ts
 * import { Rng } from "@signalbox/signalbox/random";
 * import { openWorkload, workloadSchema } from "@signalbox/signalbox/workload";
 * import assert from "node:assert/strict";
 *
 * const source = await openWorkload(workloadSchema.parse({ kind: "fitted" }));
 * const workload = source.sample(new Rng(3), { count: 100 }, "train");
 * assert.equal(workload.count, 100);
 * ```
 */
export async function openWorkload(config: WorkloadConfig): Promise<WorkloadSource> {
  if (config.kind === "trace") return createTraceSource(config, await readTrace(config.path));
  return {
    name: config.kind === "fitted" ? config.name : config.kind,
    sample: (rng, extent) => generateWorkload(config, rng, extent),
  };
}

/** A source that draws stretches of a trace. */
function createTraceSource(config: TraceWorkloadConfig, trace: Workload): WorkloadSource {
  const limited = config.maxTokens === undefined
    ? trace
    : limitTokens(trace, config.maxTokens, config.overLength);
  const timed = config.ratePerSecond === undefined
    ? limited
    : scaleToRate(limited, config.ratePerSecond);
  const all = config.classes === undefined ? timed : dealRequestClasses(timed, config.classes);
  const parts: Record<WorkloadPart, Workload> = { all, ...splitByTime(all, config) };
  return {
    name: trace.name,
    whole: (part) => parts[part],
    sample: (rng, extent, part) => sampleStretch(parts[part], rng.stream("stretch"), extent, part),
  };
}

function sampleStretch(
  workload: Workload,
  rng: Rng,
  extent: WorkloadExtent,
  part: WorkloadPart,
): Workload {
  checkExtent(extent);
  if ("count" in extent) {
    if (extent.count > workload.count) {
      throw new RangeError(
        `Cannot sample ${workload.name} (${part}): count must be <= ${workload.count}, current value is ${extent.count}`,
      );
    }
    const start = rng.below(workload.count - extent.count + 1);
    return sliceByCount(workload, start, extent.count);
  }
  const longest = workload.arrivalSeconds[workload.count - 1] ?? 0;
  if (extent.durationSeconds > longest) {
    throw new RangeError(
      `Cannot sample ${workload.name} (${part}): durationSeconds must be <= ${longest}, current value is ${extent.durationSeconds}`,
    );
  }
  const start = rng.uniform() * (longest - extent.durationSeconds);
  return sliceByTime(workload, start, start + extent.durationSeconds);
}
