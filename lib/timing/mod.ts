/**
 * How long a batch takes.
 *
 * @module
 */
export { type AnalyticProfile, analyticProfileSchema } from "./analytic_profile.ts";
export { type AnalyticTimerOptions, createAnalyticTimer } from "./analytic_timer.ts";
export {
  type BatchShape,
  type BatchTimer,
  type OperationKind,
  operationKinds,
  type OperationPart,
} from "./batch_timer.ts";
export {
  type BundleParallelism,
  type BundleTimerOptions,
  createBundleTimer,
} from "./bundle_timer.ts";
export { compareVidurTables, type TableComparison } from "./compare_vidur_tables.ts";
export {
  fitBundleProfile,
  fitVidurProfile,
  PROFILE_METHOD,
  type ProfileFitOptions,
} from "./fit_profile.ts";
export { createFittedTimer, type FittedTimerOptions } from "./fitted_timer.ts";
export { getGpuEfficiency, type GpuEfficiency, gpuEfficiencySchema } from "./gpu_efficiency.ts";
export { isotonic } from "./isotonic.ts";
export {
  type ProfileCurve,
  profileCurveSchema,
  type ProfileDegree,
  profileSchema,
  type TimingProfile,
} from "./profile_schema.ts";
export { type Operation, operations } from "./operations.ts";
export { relativeSpeeds, type TimedReplica } from "./relative_speeds.ts";
export { readServingBundle, type ServingBundle } from "./serving_bundle.ts";
export { readVidurTables, type VidurTableFiles } from "./vidur_table_files.ts";
export {
  listShippedProfiles,
  loadProfile,
  loadShippedProfile,
  profileFileName,
  shippedProfiles,
} from "./shipped_profiles.ts";
export { createTimer, type TimerConfig, type TimerOptions, timerSchema } from "./timer_config.ts";
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
export { writeProfile } from "./write_profile.ts";
