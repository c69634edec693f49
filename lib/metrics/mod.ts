/**
 * What a run was like: system metrics over time, typed tables of outcomes (Arrow in memory, Parquet
 * and Arrow IPC on disk), summaries.
 *
 * @module
 */
export { readArrow, writeArrow } from "./arrow_file.ts";
export { BatchDistributions } from "./batch_distributions.ts";
export { BatchesFile } from "./batches_file.ts";
export { batchesSchema, BatchesTable } from "./batches_table.ts";
export {
  ClusterTailLatency,
  type ClusterTailState,
  type ClusterTailSummary,
  type ReplicaSpread,
} from "./cluster_tail_latency.ts";
export { columnNumbers, columnStrings } from "./columns.ts";
export { type ComparisonRow, comparisonRows, comparisonsSchema } from "./comparisons_table.ts";
export {
  EXACT_LATENCIES,
  LatencyDistribution,
  type LatencyDistributionOptions,
} from "./latency_distribution.ts";
export {
  EXPORT_FORMATS,
  type ExportFormat,
  type ExportOptions,
  type ExportTableSchema,
  MetricsExporter,
} from "./metrics_exporter.ts";
export { OperationMeter } from "./operation_meter.ts";
export { type OperationRow, operationsSchema } from "./operations_table.ts";
export { ParquetWriter, readParquet, writeParquet } from "./parquet.ts";
export {
  comparePolicies,
  compareWithEach,
  type ComparisonOptions,
  type PolicyComparison,
} from "./policy_comparison.ts";
export {
  type RequestSummary,
  summarizeRequests,
  summarizeRuns,
  summaryColumns,
  summarySchema,
} from "./request_summary.ts";
export {
  type RequestLabels,
  type RequestRow,
  requestRows,
  requestsSchema,
} from "./requests_table.ts";
export {
  measureSloAttainment,
  type SloAttainment,
  type SloTarget,
  type SloTargets,
} from "./slo_attainment.ts";
export { SystemMetrics, type SystemMetricsConfig, systemMetricsSchema } from "./system_metrics.ts";
export {
  type TailLatencyAlert,
  type TailLatencyConfig,
  TailLatencyMonitor,
  tailLatencySchema,
  type TailLatencyState,
  type TailLatencySummary,
} from "./tail_latency_monitor.ts";
export { concatTables, rowsOf, TableBuilder, tableFromRows } from "./table_builder.ts";
export {
  type CellOf,
  type ColumnSpec,
  type ColumnType,
  type RowOf,
  schemaOf,
  type TableSchema,
} from "./table_schema.ts";
export { type HparamValue, type TensorBoardOptions, TensorBoardWriter } from "./tensorboard.ts";
export { TokenGapMeter } from "./token_gap_meter.ts";
export { trainingColumns, type TrainingSchema, trainingSchema } from "./training_table.ts";
export { axisColumn, trialColumns, trialsSchema } from "./trials_table.ts";
export { type ReplicaUtilization, UtilizationMeter } from "./utilization.ts";
