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
  fittedArrivalSchema,
  type ModulatedArrivals,
  type TabulatedArrivals,
} from "./arrivals.ts";
export {
  type ConversationModel,
  conversationSchema,
  type ConversationTurn,
  createConversations,
  type PromptBlocks,
} from "./conversations.ts";
export { type CountDispersion, countDispersion } from "./count_dispersion.ts";
export { type FittedWorkload, fittedWorkloadFileSchema } from "./fitted_workload_file.ts";
export {
  type FittedWorkloadName,
  fittedWorkloadNames,
  getFittedWorkload,
} from "./fitted_workloads.ts";
export { fitGapTable, type GapTable, gapTableSchema } from "./gap_table.ts";
export { generateFitted, generateWorkload, type WorkloadExtent } from "./generate_workload.ts";
export {
  fitLengthTable,
  type LengthTable,
  type LengthTableOptions,
  lengthTableSchema,
  tabulateTokens,
} from "./length_table.ts";
export {
  createLengthSampler,
  type LengthConfig,
  type LengthSampler,
  lengthSchema,
} from "./lengths.ts";
export { limitTokens, type OverLength, overLengthSchema } from "./limit_tokens.ts";
export {
  lengthInformation,
  type Lengths,
  type OutputPredictability,
  outputPredictability,
} from "./output_predictability.ts";
export { prefixHitRate } from "./prefix_hit_rate.ts";
export { type PromptRange, promptRanges } from "./prompt_ranges.ts";
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
