/**
 * Least outstanding requests, weighted by the observed time between tokens.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { createScoreRouter } from "./_score_router.ts";
import type { Router } from "./router.ts";

/**
 * Creates a router that minimises `(outstanding + 1) x EMA of the time between tokens`. It needs no
 * knowledge of the hardware: slow replicas show themselves (spec/practice.md section 9).
 *
 * A replica that has not decoded yet has no EMA; it is taken to be as fast as the fastest available
 * one that has (all alike while none has), so every replica is tried early and none is flooded.
 */
export function createLorTbt(rng: Rng): Router {
  return createScoreRouter("lor_tbt", ({ view }, out) => {
    let fastest = Infinity;
    for (let replica = 0; replica < out.length; replica++) {
      const tbt = view.tbtEmaSeconds(replica);
      if (tbt > 0 && tbt < fastest && view.isAvailable(replica)) fastest = tbt;
    }
    const unexplored = Number.isFinite(fastest) ? fastest : 1;
    for (let replica = 0; replica < out.length; replica++) {
      const tbt = view.tbtEmaSeconds(replica);
      out[replica] = (view.outstandingCount(replica) + 1) * (tbt > 0 ? tbt : unexplored);
    }
  }, rng);
}
