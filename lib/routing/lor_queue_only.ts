/**
 * Vidur's "lor", kept for comparison.
 *
 * @module
 */
import { createScoreRouter } from "./_score_router.ts";
import type { Router } from "./router.ts";

/**
 * Creates the router that Vidur calls `lor`: fewest *waiting* requests, lowest index on ties. While
 * queues are empty it sends everything to replica 0, which makes it worse than random
 * (spec/simulator.md section 5).
 */
export function createLorQueueOnly(): Router {
  return createScoreRouter("lor_queue_only", ({ view }, out) => {
    for (let replica = 0; replica < out.length; replica++) {
      out[replica] = view.waitingCount(replica);
    }
  });
}
