/**
 * Random assignment.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { countAvailable, nthAvailable } from "./_available.ts";
import type { Router } from "./router.ts";

/** Creates a router that draws an available replica uniformly. */
export function createRandom(rng: Rng): Router {
  return {
    name: "random",
    route: ({ view }) => nthAvailable(view, rng.below(countAvailable(view))),
  };
}
