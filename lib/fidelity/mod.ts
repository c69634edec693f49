/**
 * Measured runs of serving engines beside their simulation.
 *
 * @module
 */
export { compareLatencies, type LatencyComparison, latencyMetrics } from "./compare_latencies.ts";
export { type EngineRun, readEngineRun, type RequestLatencies } from "./engine_run.ts";
export { fidelityEcdf, fidelityScatter, type NamedLatencies } from "./fidelity_charts.ts";
export { replayEngineRun } from "./replay_engine_run.ts";
