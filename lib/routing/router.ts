/**
 * The seam between the simulator and every way of choosing a replica.
 *
 * @module
 */
import type { RoutingDecision, SimulationObserver } from "../simulator/mod.ts";

/** Assigns requests to replicas, one at a time, for good. */
export interface Router {
  /** Name, as in configurations and result tables. */
  readonly name: string;
  /**
   * Chooses the replica of the decision's request.
   *
   * @returns Index of an available replica.
   * @throws {RangeError} When no replica is available.
   */
  route(decision: RoutingDecision): number;
  /**
   * Cost that the router gives to each replica, for routers that choose the cheapest.
   *
   * @param decision The decision to be scored; nothing is decided and no random number drawn.
   * @param out Filled and returned, `[replicaCount]`: lower is better, `Infinity` where the replica
   *   is not available.
   */
  scores?(decision: RoutingDecision, out: Float64Array): Float64Array;
  /** Watches the run, for routers that learn from outcomes. */
  readonly observer?: SimulationObserver;
  /** Forgets what was learnt within a run: to be called before the next one. */
  reset?(): void;
}
