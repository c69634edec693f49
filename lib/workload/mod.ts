/**
 * Where requests come from: traces, synthetic generators, fitted defaults.
 *
 * @module
 */
export {
  type ArrivalConfig,
  type ArrivalProcess,
  arrivalSchema,
  createArrivalProcess,
  type ModulatedArrivals,
} from "./arrivals.ts";
export {
  type FittedWorkload,
  type FittedWorkloadName,
  fittedWorkloadNames,
  getFittedWorkload,
} from "./fitted_workloads.ts";
export { generateWorkload, type WorkloadExtent } from "./generate_workload.ts";
export {
  fitLengthTable,
  type LengthTable,
  type LengthTableOptions,
  lengthTableSchema,
  sampleLengthTable,
} from "./length_table.ts";
export {
  createLengthSampler,
  type LengthConfig,
  type LengthSampler,
  lengthSchema,
} from "./lengths.ts";
export { limitTokens, type OverLength, overLengthSchema } from "./limit_tokens.ts";
export { readTrace } from "./read_trace.ts";
export { dealRequestClasses, type RequestClass, requestClassSchema } from "./request_classes.ts";
export { scaleToRate } from "./scale_to_rate.ts";
export {
  sliceByCount,
  sliceByTime,
  splitByTime,
  type SplitOptions,
  type WorkloadSplit,
} from "./slice_workload.ts";
export {
  type LengthSummary,
  summarizeWorkload,
  type WorkloadSummary,
} from "./summarize_workload.ts";
export type { PrefixHashes, RequestSlos, Workload } from "./workload.ts";
export {
  type FittedWorkloadConfig,
  fittedWorkloadSchema,
  type SyntheticWorkloadConfig,
  syntheticWorkloadSchema,
  type TraceWorkloadConfig,
  traceWorkloadSchema,
  type WorkloadConfig,
  workloadSchema,
} from "./workload_config.ts";
export { openWorkload, type WorkloadPart, type WorkloadSource } from "./workload_source.ts";
