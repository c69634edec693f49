/**
 * How long a batch takes.
 *
 * @module
 */
export { type AnalyticTimerOptions, createAnalyticTimer } from "./analytic_timer.ts";
export {
  type BatchShape,
  type BatchTimer,
  type OperationKind,
  operationKinds,
  type OperationSeconds,
} from "./batch_timer.ts";
export { type BundleTimerOptions, createBundleTimer } from "./bundle_timer.ts";
export { getGpuEfficiency, type GpuEfficiency } from "./gpu_efficiency.ts";
export { isotonic } from "./isotonic.ts";
export { createProfileTimer, type ProfileTimerOptions } from "./profile_timer.ts";
export { relativeSpeeds, type TimedReplica } from "./relative_speeds.ts";
export { readServingBundle, type ServingBundle } from "./serving_bundle.ts";
export { readVidurTables, type VidurTableFiles } from "./vidur_table_files.ts";
export {
  createVidurTableTimer,
  type VidurGrid,
  type VidurOperation,
  vidurOperations,
  type VidurTables,
  type VidurTimerOptions,
} from "./vidur_tables.ts";
export {
  type VidurLayerOperation,
  vidurLayerOperations,
  type VidurProfileFiles,
  type VidurProfileOptions,
} from "./_vidur_points.ts";
export { readVidurProfile, type VidurProfile } from "./vidur_profile.ts";
