/**
 * Everything that a learned policy is compared with, by name.
 *
 * @module
 */
import { createRouter, type Router, routerNames, type RouterOptions } from "../routing/mod.ts";
import { ConfigError } from "../support/mod.ts";
import { DqnRouter } from "./legacy/dqn_router.ts";
import { RandomWithStateRouter } from "./legacy/random_with_state.ts";

/** Routers that {@linkcode createBaseline} knows: `createRouter`'s and the original's legacy ones. */
export const baselineNames = [...routerNames, "random_with_state", "dqn"] as const;

/** A name that {@linkcode createBaseline} knows. */
export type BaselineName = typeof baselineNames[number];

/**
 * Creates a router to compare with.
 *
 * @param options.replicaCount Replicas of the cluster.
 * @throws {ConfigError} When the name is unknown.
 */
export function createBaseline(
  name: string,
  options: RouterOptions & { readonly replicaCount: number },
): Router {
  switch (name) {
    case "dqn":
      return new DqnRouter(options);
    case "random_with_state":
      return new RandomWithStateRouter(options);
  }
  if ((routerNames as readonly string[]).includes(name)) return createRouter(name, options);
  throw new ConfigError("router", name, `one of ${baselineNames.join(", ")}`);
}
