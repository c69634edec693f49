/**
 * Everything that a learned policy is compared with, by name.
 *
 * @module
 */
import {
  createClairvoyantLeastWork,
  createPredictedLeastWork,
  createRouter,
  type OutputLengthPredictor,
  type Router,
  routerNames,
  type RouterOptions,
} from "../routing/mod.ts";
import { ConfigError } from "../support/mod.ts";
import { DqnRouter } from "./legacy/dqn_router.ts";
import { RandomWithStateRouter } from "./legacy/random_with_state.ts";

/**
 * Routers that {@linkcode createBaseline} knows: `createRouter`'s, those that look at output lengths,
 * and the original's legacy ones.
 */
export const baselineNames = [
  ...routerNames,
  "predicted_least_work",
  "clairvoyant_least_work",
  "random_with_state",
  "dqn",
] as const;

/** A name that {@linkcode createBaseline} knows. */
export type BaselineName = typeof baselineNames[number];

/** The usual ladder of baselines, weak to strong (spec/practice.md section 4). */
export const baselineLadder: readonly BaselineName[] = [
  "random",
  "round_robin",
  "power_of_two",
  "least_outstanding",
  "least_kv_tokens",
  "lor_tbt",
  "speed_weighted_lor",
  "predicted_least_work",
  "clairvoyant_least_work",
];

/**
 * What a baseline is told that a real router would have to find out, or (the clairvoyant one, told
 * the speeds too) could not know.
 */
const TOLD: ReadonlyMap<string, string> = new Map<BaselineName, string>([
  ["speed_weighted_lor", "told speeds"],
  ["predicted_least_work", "told speeds"],
  ["clairvoyant_least_work", "clairvoyant"],
]);

/**
 * What the baseline of a name is told beyond what a real router sees, for tables.
 *
 * @returns Empty for those that are told nothing, and for learned policies.
 *
 * @example
 * ```ts
 * import { describeKnowledge } from "@signalbox/signalbox/training";
 * import assert from "node:assert/strict";
 *
 * assert.equal(describeKnowledge("least_outstanding"), "");
 * assert.match(describeKnowledge("clairvoyant_least_work"), /^clairvoyant/);
 * ```
 */
export function describeKnowledge(name: string): string {
  return TOLD.get(name) ?? "";
}

/** What baselines may need. */
export interface BaselineOptions extends RouterOptions {
  /** Replicas of the cluster. */
  readonly replicaCount: number;
  /** Learnt output lengths, needed by `predicted_least_work` only and asked for once a router. */
  readonly lengthPredictor?: () => OutputLengthPredictor;
}

/**
 * Creates a router to compare with.
 *
 * @throws {ConfigError} When the name is unknown, or the router lacks what it needs.
 */
export function createBaseline(name: string, options: BaselineOptions): Router {
  switch (name) {
    case "predicted_least_work":
      return createPredictedLeastWork(
        options.rng,
        needed(name, "relativeSpeeds", options.relativeSpeeds),
        needed(name, "lengthPredictor", options.lengthPredictor)(),
      );
    case "clairvoyant_least_work":
      return createClairvoyantLeastWork(
        options.rng,
        needed(name, "relativeSpeeds", options.relativeSpeeds),
      );
    case "dqn":
      return new DqnRouter(options);
    case "random_with_state":
      return new RandomWithStateRouter(options);
  }
  if ((routerNames as readonly string[]).includes(name)) return createRouter(name, options);
  throw new ConfigError("router", name, `one of ${baselineNames.join(", ")}`);
}

function needed<T>(router: string, field: string, value: T | undefined): T {
  if (value === undefined) throw new ConfigError(field, value, `given for ${router}`);
  return value;
}
