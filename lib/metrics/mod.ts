/**
 * What a run was like: system metrics over time, tables of outcomes.
 *
 * @module
 */
export { SystemMetrics, systemMetricsSchema } from "./system_metrics.ts";
export type {
  SlidingMeanState,
  SystemMetricsConfig,
  SystemMetricsState,
} from "./system_metrics.ts";
