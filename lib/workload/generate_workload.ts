/**
 * Requests that never were.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { redrawWithin } from "./_redraw.ts";
import { WorkloadBuilder } from "./_workload_builder.ts";
import { type ArrivalConfig, type ArrivalProcess, createArrivalProcess } from "./arrivals.ts";
import { createConversations, type PromptBlocks } from "./conversations.ts";
import type { FittedWorkload } from "./fitted_workload_file.ts";
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

/**
 * Generates requests. Arrivals and lengths come from streams of their own (`arrivals`, `lengths`),
 * so that two workloads that differ in one share the other.
 *
 * At another rate than the fitted one all times are scaled, those between the turns of a conversation
 * too, as `scaleToRate` does with a trace.
 *
 * A request longer than `maxTokens` is redrawn under `overLength: "drop"`, which keeps the arrivals.
 *
 * @param config A fitted or synthetic workload.
 * @param rng Seeds the streams; not drawn from itself.
 * @param extent How many requests, or for how long.
 * @throws {RangeError} When the extent is not positive or has no end (a time in which more than
 *   100,000,000 requests arrive), or a request is longer than `maxTokens` and may not be.
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
  if (config.kind === "synthetic") requirePassingTime(config.arrivals, extent);
  const workload = config.kind === "fitted"
    ? generateFitted(getFittedWorkload(config.name), config, rng, extent)
    : drawRequests(
      config.kind,
      createArrivalProcess(config.arrivals, rng.stream("arrivals")),
      within(createLengthSampler(config.lengths, rng.stream("lengths")), redrawLimit(config)),
      extent,
    );
  const limited = config.maxTokens === undefined
    ? workload
    : limitTokens(workload, config.maxTokens, config.overLength);
  return config.classes === undefined ? limited : dealRequestClasses(limited, config.classes);
}

/**
 * Generates requests as {@linkcode generateWorkload} does, from a fit of one's own and before token
 * limits but for redraws.
 */
export function generateFitted(
  fitted: Pick<FittedWorkload, "name" | "arrivals" | "lengths" | "conversations">,
  config: Pick<FittedWorkloadConfig, "ratePerSecond" | "maxTokens" | "overLength">,
  rng: Rng,
  extent: WorkloadExtent,
): Workload {
  const { name, arrivals, lengths, conversations } = fitted;
  const lengthRng = rng.stream("lengths");
  const maxTokens = redrawLimit(config);
  const nextRequest = conversations === undefined
    ? within(createLengthSampler({ kind: "empirical", table: lengths }, lengthRng), maxTokens)
    : createConversations(conversations, lengths, lengthRng, maxTokens);
  const ratePerSecond = config.ratePerSecond ?? arrivals.ratePerSecond;
  const nextArrival = createArrivalProcess(arrivals, rng.stream("arrivals"));
  return drawRequests(
    name,
    nextArrival,
    nextRequest,
    extent,
    arrivals.ratePerSecond / ratePerSecond,
  );
}

/** Prompt and output tokens of what arrives, and block hashes where prompts share something. */
type RequestSampler = (
  seconds: number,
) => readonly [promptTokens: number, outputTokens: number, blocks?: PromptBlocks];

/** Draws requests; `timeFactor` is the length of a second of the arrival process. */
function drawRequests(
  name: string,
  nextArrival: ArrivalProcess,
  nextRequest: RequestSampler,
  extent: WorkloadExtent,
  timeFactor = 1,
): Workload {
  checkExtent(extent);
  const count = "count" in extent ? extent.count : MAX_COUNT;
  const endSeconds = "durationSeconds" in extent ? extent.durationSeconds : Infinity;
  const builder = new WorkloadBuilder();
  while (builder.count < count || endSeconds < Infinity) {
    const seconds = nextArrival();
    if (timeFactor * seconds >= endSeconds) break;
    if (builder.count === count) throw tooMany(endSeconds);
    const [promptTokens, outputTokens, blocks] = nextRequest(seconds);
    builder.add(timeFactor * seconds, promptTokens, outputTokens);
    if (blocks !== undefined) builder.addHashes(blocks.hashes, blocks.blockTokens);
  }
  return builder.build(name);
}

/** The limit that longer requests are redrawn for. */
function redrawLimit(
  { maxTokens, overLength }: Pick<FittedWorkloadConfig, "maxTokens" | "overLength">,
): number | undefined {
  return overLength === "drop" ? maxTokens : undefined;
}

function within(next: LengthSampler, maxTokens: number | undefined): LengthSampler {
  if (maxTokens === undefined) return next;
  return () => redrawWithin(next, ([prompt, output]) => prompt + output, maxTokens);
}

/** Refuses requests that arrive all at once when they are to be counted by time. */
function requirePassingTime(arrivals: ArrivalConfig, extent: WorkloadExtent): void {
  if (arrivals.kind !== "static" || arrivals.intervalSeconds > 0 || "count" in extent) return;
  throw tooMany(extent.durationSeconds);
}

function tooMany(durationSeconds: number): RangeError {
  return new RangeError(
    `Cannot generate a workload: durationSeconds must be a time of at most ${MAX_COUNT} arrivals, current value is ${durationSeconds}`,
  );
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
