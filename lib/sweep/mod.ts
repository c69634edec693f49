/**
 * Experiments as data, run in parallel, safe against interruption.
 *
 * @module
 */
export type { VariantAxis } from "./_variants.ts";
export {
  defineSweep,
  isSweepDefinition,
  type SweepAxis,
  type SweepDefinition,
  type SweepGrid,
  type SweepInput,
  type SweepOverrides,
  type SweepVariant,
  type SweepVariants,
} from "./definition.ts";
export {
  collectTrials,
  describeTrial,
  type ExpandedSweep,
  type ExpandOptions,
  expandSweep,
  type Trial,
  type TrialInput,
} from "./expand.ts";
export { findRun } from "./find_run.ts";
export { type Manifest, parseManifest, type TrialTiming } from "./manifest.ts";
export {
  type FinishedTrials,
  runSweep,
  type RunSweepOptions,
  runTrials,
  type RunTrialsOptions,
  type SweepEvent,
  type SweepResult,
  type TrialsResult,
  type TrialTask,
} from "./run_sweep.ts";
export { runTrial, type TrialProgress, type TrialReport, type TrialResult } from "./run_trial.ts";
export { trainingRow, trainingRows, trainingTableSchema } from "./training_rows.ts";
export { finishedTrials, saveTrial } from "./trial_store.ts";
export {
  type PoolOptions,
  runPool,
  type TaskOutcome,
  type WorkerFailure,
  type WorkerMessage,
} from "./worker_pool.ts";
export { type ScenarioComparison, type SweepOutputs } from "./write_outputs.ts";
