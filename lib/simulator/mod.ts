/**
 * Discrete-event simulation of a cluster of replicas that serve LLM requests.
 *
 * @module
 */
export type { ClusterView, OracleView, RequestView } from "./cluster_view.ts";
export type {
  BatchRecord,
  RequestOutcomes,
  RouteFunction,
  RoutingDecision,
  SimulationObserver,
  SimulationResult,
} from "./simulation.ts";
