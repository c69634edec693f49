/**
 * Taking turns.
 *
 * @module
 */
import { countAvailable } from "./_available.ts";
import type { Router } from "./router.ts";

/** Creates a router that goes round the replicas in index order, skipping unavailable ones. */
export function createRoundRobin(): Router {
  let next = 0;
  return {
    name: "round_robin",
    route({ view }): number {
      countAvailable(view);
      let replica = next % view.replicaCount;
      while (!view.isAvailable(replica)) replica = (replica + 1) % view.replicaCount;
      next = replica + 1;
      return replica;
    },
    reset(): void {
      next = 0;
    },
  };
}
