/**
 * Least outstanding requests.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { createScoreRouter } from "./_score_router.ts";
import type { Router } from "./router.ts";

/**
 * Creates the router "LOR": fewest requests waiting or running, equals decided at random. The
 * baseline that a learned router has to beat (spec/practice.md section 4).
 */
export function createLeastOutstanding(rng: Rng): Router {
  return createScoreRouter("least_outstanding", ({ view }, out) => {
    for (let replica = 0; replica < out.length; replica++) {
      out[replica] = view.outstandingCount(replica);
    }
  }, rng);
}
