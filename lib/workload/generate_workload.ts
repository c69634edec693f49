/**
 * Requests that never were.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { WorkloadBuilder } from "./_workload_builder.ts";
import { type ArrivalProcess, createArrivalProcess } from "./arrivals.ts";
import { getFittedWorkload } from "./fitted_workloads.ts";
import { createLengthSampler, type LengthSampler } from "./lengths.ts";
import { limitTokens } from "./limit_tokens.ts";
import { dealRequestClasses } from "./request_classes.ts";
import type { FittedWorkloadConfig, SyntheticWorkloadConfig } from "./workload_config.ts";
import type { Workload } from "./workload.ts";

/** How much of a workload is wanted: a number of requests, or those that arrive in a time. */
export type WorkloadExtent = { readonly count: number } | { readonly durationSeconds: number };

/** Most requests that one call generates: what 32-bit row numbers allow is far above it. */
const MAX_COUNT = 100_000_000;

/** Redraws of one request's lengths before a limit is said to be unreachable. */
const MAX_REDRAWS = 10_000;

/**
 * Generates requests. Arrivals and lengths come from streams of their own (`arrivals`, `lengths`),
 * so that two workloads that differ in one share the other.
 *
 * A request longer than `maxTokens` is redrawn under `overLength: "drop"`, which keeps the arrivals.
 *
 * @param config A fitted or synthetic workload.
 * @param rng Seeds the streams; not drawn from itself.
 * @param extent How many requests, or for how long.
 * @throws {RangeError} When the extent is not positive, or a request is longer than `maxTokens` and
 *   may not be.
 *
 * @example Twenty seconds of traffic as in the Azure conversation trace, at twice its rate
 * ```ts
 * import { Rng } from "@signalbox/signalbox/random";
 * import { generateWorkload } from "@signalbox/signalbox/workload";
 * import assert from "node:assert/strict";
 *
 * const workload = generateWorkload(
 *   {
 *     kind: "fitted",
 *     name: "azure_conversation_2023",
 *     ratePerSecond: 11,
 *     overLength: "refuse",
 *   },
 *   new Rng(1),
 *   { durationSeconds: 20 },
 * );
 * assert.ok(workload.count > 100);
 * assert.ok(workload.arrivalSeconds[workload.count - 1]! < 20);
 * ```
 */
export function generateWorkload(
  config: FittedWorkloadConfig | SyntheticWorkloadConfig,
  rng: Rng,
  extent: WorkloadExtent,
): Workload {
  checkExtent(extent);
  const nextArrival = createArrivals(config, rng.stream("arrivals"));
  const nextLengths = createLengths(config, rng.stream("lengths"));
  const count = "count" in extent ? extent.count : MAX_COUNT;
  const endSeconds = "durationSeconds" in extent ? extent.durationSeconds : Infinity;
  const builder = new WorkloadBuilder();
  while (builder.count < count) {
    const arrivalSeconds = nextArrival();
    if (arrivalSeconds >= endSeconds) break;
    const [promptTokens, outputTokens] = nextLengths();
    builder.add(arrivalSeconds, promptTokens, outputTokens);
  }
  const workload = builder.build(config.kind === "fitted" ? config.name : config.kind);
  const limited = config.maxTokens === undefined
    ? workload
    : limitTokens(workload, config.maxTokens, config.overLength);
  return config.classes === undefined ? limited : dealRequestClasses(limited, config.classes);
}

/** Refuses an extent that is not positive. */
export function checkExtent(extent: WorkloadExtent): void {
  if ("count" in extent) {
    if (Number.isInteger(extent.count) && extent.count >= 1 && extent.count <= MAX_COUNT) return;
    throw new RangeError(
      `Cannot generate a workload: count must be an integer in [1, ${MAX_COUNT}], current value is ${extent.count}`,
    );
  }
  if (extent.durationSeconds > 0 && Number.isFinite(extent.durationSeconds)) return;
  throw new RangeError(
    `Cannot generate a workload: durationSeconds must be a finite number > 0, current value is ${extent.durationSeconds}`,
  );
}

/** The configuration's arrival process. */
function createArrivals(
  config: FittedWorkloadConfig | SyntheticWorkloadConfig,
  rng: Rng,
): ArrivalProcess {
  if (config.kind === "synthetic") return createArrivalProcess(config.arrivals, rng);
  const { arrivals } = getFittedWorkload(config.name);
  const next = createArrivalProcess(arrivals, rng);
  if (config.ratePerSecond === undefined) return next;
  const factor = arrivals.ratePerSecond / config.ratePerSecond;
  return () => factor * next();
}

/** The configuration's lengths, redrawn where requests that are too long are to be dropped. */
function createLengths(
  config: FittedWorkloadConfig | SyntheticWorkloadConfig,
  rng: Rng,
): LengthSampler {
  const next = createLengthSampler(
    config.kind === "synthetic"
      ? config.lengths
      : { kind: "empirical", table: getFittedWorkload(config.name).lengths },
    rng,
  );
  const { maxTokens, overLength } = config;
  if (maxTokens === undefined || overLength !== "drop") return next;
  return () => {
    for (let draw = 0; draw < MAX_REDRAWS; draw++) {
      const lengths = next();
      if (lengths[0] + lengths[1] <= maxTokens) return lengths;
    }
    throw new RangeError(
      `Cannot generate a workload: maxTokens must be reachable by the lengths, current value is ${maxTokens}`,
    );
  };
}
