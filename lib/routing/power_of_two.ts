/**
 * The power of two choices.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { countAvailable, nthAvailable } from "./_available.ts";
import type { Router } from "./router.ts";

/**
 * Creates a router that draws two different available replicas and takes the one with fewer
 * outstanding requests; the first drawn wins a tie.
 *
 * Source: Mitzenmacher, "The power of two choices in randomized load balancing", IEEE TPDS 12 (2001).
 */
export function createPowerOfTwo(rng: Rng): Router {
  return {
    name: "power_of_two",
    route({ view }): number {
      const count = countAvailable(view);
      const k = rng.below(count);
      const first = nthAvailable(view, k);
      if (count === 1) return first;
      const j = rng.below(count - 1);
      const second = nthAvailable(view, j < k ? j : j + 1);
      return view.outstandingCount(second) < view.outstandingCount(first) ? second : first;
    },
  };
}
