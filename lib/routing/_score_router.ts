/**
 * What all routers that choose the cheapest replica share.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import type { RoutingDecision } from "../simulator/mod.ts";
import { countAvailable } from "./_available.ts";
import type { Router } from "./router.ts";

/** Writes the cost of every replica, `[replicaCount]`; those of unavailable ones are ignored. */
export type ScoreFunction = (decision: RoutingDecision, out: Float64Array) => void;

/**
 * Creates a router that takes the available replica of lowest cost.
 *
 * @param name The router's name.
 * @param score The costs.
 * @param tieRng Decides between equals, drawn from only when there are any; the lowest index wins
 *   without it.
 */
export function createScoreRouter(name: string, score: ScoreFunction, tieRng?: Rng): Router {
  let buffer = new Float64Array(0);

  function scores(decision: RoutingDecision, out: Float64Array): Float64Array {
    const { view } = decision;
    score(decision, out);
    for (let replica = 0; replica < view.replicaCount; replica++) {
      if (!view.isAvailable(replica)) out[replica] = Infinity;
    }
    return out;
  }

  function route(decision: RoutingDecision): number {
    const { view } = decision;
    countAvailable(view);
    if (buffer.length !== view.replicaCount) buffer = new Float64Array(view.replicaCount);
    scores(decision, buffer);
    let lowest = Infinity;
    let first = 0;
    let ties = 0;
    for (let replica = 0; replica < buffer.length; replica++) {
      const cost = buffer[replica]!;
      if (cost < lowest) {
        lowest = cost;
        first = replica;
        ties = 1;
      } else if (cost === lowest) {
        ties++;
      }
    }
    if (ties === 1 || tieRng === undefined) return first;
    let skip = tieRng.below(ties);
    for (let replica = first;; replica++) {
      if (buffer[replica] === lowest && skip-- === 0) return replica;
    }
  }

  return { name, route, scores };
}
