/**
 * Routers by name.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { ConfigError } from "../support/mod.ts";
import { createLeastKvTokens } from "./least_kv_tokens.ts";
import { createLeastOutstanding } from "./least_outstanding.ts";
import { createLorQueueOnly } from "./lor_queue_only.ts";
import { createLorTbt } from "./lor_tbt.ts";
import { createPowerOfTwo } from "./power_of_two.ts";
import { createRandom } from "./random.ts";
import { createRoundRobin } from "./round_robin.ts";
import type { Router } from "./router.ts";
import { createSpeedWeightedLor } from "./speed_weighted_lor.ts";

/** Names that {@linkcode createRouter} knows, weak to strong (spec/practice.md section 4). */
export const routerNames = [
  "lor_queue_only",
  "random",
  "round_robin",
  "power_of_two",
  "least_kv_tokens",
  "least_outstanding",
  "lor_tbt",
  "speed_weighted_lor",
] as const;

/** A name that {@linkcode createRouter} knows. */
export type RouterName = typeof routerNames[number];

/** What some routers need. */
export interface RouterOptions {
  /** Random numbers of routers that draw any. */
  readonly rng: Rng;
  /** Speed of each replica, needed by `speed_weighted_lor` only. */
  readonly relativeSpeeds?: ArrayLike<number>;
}

/**
 * Creates a router that needs no training.
 *
 * @throws {ConfigError} When the name is unknown (the message lists those there are) or
 *   `speed_weighted_lor` gets no speeds.
 *
 * @example
 * ```ts
 * import { Rng } from "@signalbox/signalbox/random";
 * import { createRouter } from "@signalbox/signalbox/routing";
 * import assert from "node:assert/strict";
 *
 * const router = createRouter("least_outstanding", { rng: new Rng(1).stream("router") });
 * assert.equal(router.name, "least_outstanding");
 * assert.throws(() => createRouter("lor", { rng: new Rng(1) }), /one of lor_queue_only, random/);
 * ```
 */
export function createRouter(name: string, options: RouterOptions): Router {
  const { rng, relativeSpeeds } = options;
  switch (name as RouterName) {
    case "random":
      return createRandom(rng);
    case "round_robin":
      return createRoundRobin();
    case "power_of_two":
      return createPowerOfTwo(rng);
    case "least_outstanding":
      return createLeastOutstanding(rng);
    case "least_kv_tokens":
      return createLeastKvTokens(rng);
    case "lor_tbt":
      return createLorTbt(rng);
    case "lor_queue_only":
      return createLorQueueOnly();
    case "speed_weighted_lor":
      if (relativeSpeeds === undefined) {
        throw new ConfigError("relativeSpeeds", relativeSpeeds, "given for speed_weighted_lor");
      }
      return createSpeedWeightedLor(rng, relativeSpeeds);
    default:
      throw new ConfigError("router", name, `one of ${routerNames.join(", ")}`);
  }
}
