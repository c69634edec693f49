/**
 * Measured runs of serving engines beside their simulation.
 *
 * @module
 */
export {
  calibrateTimer,
  type Calibration,
  type CalibrationOptions,
  replayAnalytic,
} from "./calibrate_timer.ts";
export { compareLatencies, type LatencyComparison, latencyMetrics } from "./compare_latencies.ts";
export { type EngineLog, readEngineLog, type RequestLatencies } from "./engine_log.ts";
export { type EngineRun, readEngineRun } from "./engine_run.ts";
export {
  type EngineSettings,
  type EngineSettingsSources,
  modelOf,
  readEngineSettings,
} from "./engine_settings.ts";
export { fidelityEcdf, fidelityScatter, type NamedLatencies } from "./fidelity_charts.ts";
export { replayEngineRun } from "./replay_engine_run.ts";
export { createRunBundleTimer } from "./run_bundle_timer.ts";
