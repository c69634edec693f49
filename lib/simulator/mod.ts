/**
 * Discrete-event simulation of a cluster of replicas that serve LLM requests.
 *
 * @module
 */
export { buildCluster } from "./build_cluster.ts";
export { ChromeTrace } from "./chrome_trace.ts";
export {
  type ClusterConfig,
  clusterSchema,
  type ReplicaGroupConfig,
  replicaGroupSchema,
} from "./cluster_config.ts";
export type { ClusterView, OracleView, RequestView } from "./cluster_view.ts";
export { EventHeap } from "./event_heap.ts";
export type { AvailabilityIncident, ReplicaIncident, SlowdownIncident } from "./incident.ts";
export { drawIncidents, type IncidentPlan, incidentPlanSchema } from "./incident_plan.ts";
export {
  type MemoryPlanOptions,
  planKvBlocks,
  planVidurMemory,
  type VidurMemoryPlan,
  type VidurMemoryPlanOptions,
} from "./memory_planner.ts";
export type { ReplicaSpec } from "./replica_spec.ts";
export { type SchedulerConfig, schedulerKinds, schedulerSchema } from "./scheduler_config.ts";
export { maxSequenceTokens } from "./sequence_capacity.ts";
export type {
  BatchRecord,
  RequestOutcomes,
  RouteFunction,
  RoutingDecision,
  SimulationObserver,
  SimulationResult,
} from "./simulation.ts";
export { Simulator, type SimulatorOptions } from "./simulator.ts";
export { batchFlops, countStageFlops, type StageFlops } from "./stage_flops.ts";
