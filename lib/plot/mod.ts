/**
 * Charts (Vega-Lite) of training, latencies and batches, for files, notebooks and reports.
 *
 * @module
 */
export { actionShares, type PolicyShares } from "./action_shares.ts";
export { batchGantt } from "./batch_gantt.ts";
export { type BatchBar, BatchRecorder, type BatchRecorderOptions } from "./batch_recorder.ts";
export type { Broadcast } from "./broadcast.ts";
export { type Chart, makeChart } from "./chart.ts";
export {
  differenceIntervals,
  type DifferenceIntervalsOptions,
  type PolicyDifference,
} from "./difference_intervals.ts";
export { displayChart } from "./display_chart.ts";
export { latencyBars, type LatencyBarsOptions } from "./latency_bars.ts";
export { LiveDisplay } from "./live_display.ts";
export { type LatencyColumn, latencyEcdf, type LatencyEcdfOptions } from "./latency_ecdf.ts";
export {
  LEARNING_PANELS,
  learningCurves,
  type LearningCurvesOptions,
  type LearningPanel,
} from "./learning_curves.ts";
export { type DependenceValue, policyDependence } from "./policy_dependence.ts";
export { type PngOptions, renderPng, renderSvg, writeChart } from "./render.ts";
export {
  type Report,
  type ReportCell,
  type ReportSection,
  type ReportTable,
  writeReport,
} from "./report.ts";
export type { ReplicaNameOptions } from "./replica_names.ts";
export { rewardComponents, type RewardComponentsOptions } from "./reward_components.ts";
export {
  countRoutingShares,
  type RoutingShare,
  type RoutingShareOptions,
  routingShares,
} from "./routing_shares.ts";
export {
  chartTheme,
  colorScale,
  dashScale,
  type Ink,
  PAGE_INK,
  PALETTE,
  PRINT_INK,
} from "./theme.ts";
export { tradeOff, type TradeOffPoint } from "./trade_off.ts";
export {
  type ValidationAxis,
  validationCurves,
  type ValidationPoint,
} from "./validation_curves.ts";
