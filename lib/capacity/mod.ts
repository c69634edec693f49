/**
 * How much load a cluster carries, and which cluster carries a load for the least money.
 *
 * @module
 */
export { type Candidate, candidateSchema, dollarsPerHour } from "./candidate.ts";
export { capacityChart } from "./capacity_chart.ts";
export { type CapacityTask, measureCapacity } from "./capacity_task.ts";
export {
  type CapacityRow,
  cheapest,
  compareCapacity,
  type CompareCapacityOptions,
} from "./compare_capacity.ts";
export { measureScenarioCapacity, withCapacity } from "./scenario_capacity.ts";
export {
  type CapacityProbe,
  type CapacitySearch,
  type CapacitySearchOptions,
  searchCapacity,
} from "./search_capacity.ts";
export { keepsSlo, measureSlo, type Slo, sloMetrics, sloSchema } from "./slo.ts";
