/**
 * Environments, experience and the training loop.
 *
 * @module
 */
export {
  type Checkpoint,
  CHECKPOINT_VERSION,
  type CheckpointSummary,
  decodeCheckpoint,
  decodeCheckpointSummary,
  encodeCheckpoint,
} from "./checkpoint/checkpoint.ts";
export { CheckpointError } from "./checkpoint/checkpoint_error.ts";
export {
  bestOf,
  type CheckpointEntry,
  listCheckpoints,
  loadCheckpoint,
  type LoadedCheckpoint,
  type RetentionOptions,
  saveCheckpoint,
} from "./checkpoint/checkpoint_folder.ts";
export {
  decodeSafetensors,
  decodeSafetensorsHeader,
  type Dtype,
  encodeSafetensors,
  type SafetensorsFile,
  type SafetensorsHeader,
  type Tensor,
  type TensorEntry,
  type TensorValues,
} from "./checkpoint/safetensors.ts";
export type { ReferenceState, SelectedPolicy, TrainingState } from "./checkpoint/training_state.ts";
export {
  baselineLadder,
  type BaselineName,
  baselineNames,
  type BaselineOptions,
  createBaseline,
  describeKnowledge,
} from "./create_baseline.ts";
export {
  CONFIGURED_TASK,
  type CurriculumPosition,
  curriculumPosition,
  type EpisodeDifficulty,
} from "./curriculum.ts";
export { useSimdBackend } from "./backend.ts";
export { CreditQueue, type CreditQueueOptions, type CreditQueueState } from "./credit_queue.ts";
export { collectCreditedRollout, type CreditedRolloutOptions } from "./credited_rollout.ts";
export type { DecisionRecord } from "./decision_record.ts";
export type { Environment, ReplicaObservation, StepResult } from "./environment.ts";
export { type EpisodeRouter, isEpisodeRouter } from "./episode_router.ts";
export {
  type EvaluateOptions,
  evaluatePolicies,
  type EvaluationRun,
  heuristicEntry,
  policyEntry,
  type RouterEntry,
} from "./evaluate_policies.ts";
export { DqnRouter, type DqnRouterOptions } from "./legacy/dqn_router.ts";
export { LinearQ, type LinearQOptions, type Transition } from "./legacy/linear_q.ts";
export { RandomWithStateRouter } from "./legacy/random_with_state.ts";
export { exportOnnx } from "./export/export_onnx.ts";
export { exportTfjs, type TfjsModelFiles } from "./export/export_tfjs.ts";
export {
  decisionRow,
  decisionsSchema,
  rewardColumn,
  rolloutRow,
  rolloutsSchema,
} from "./export_tables.ts";
export { type InitialPolicy, loadInitialPolicy } from "./initial_policy.ts";
export {
  type DependenceOptions,
  type DependencePoint,
  measureDependence,
} from "./partial_dependence.ts";
export { PolicySelection, type ValidationRecord } from "./policy_selection.ts";
export { type PolicyDecision, PolicyRouter, type PolicyRouterOptions } from "./policy_router.ts";
export {
  collectRollout,
  createRolloutBuffer,
  type RolloutOptions,
  type RolloutStats,
  type RolloutWatcher,
} from "./rollout.ts";
export {
  type EvaluationSplit,
  evaluationSplits,
  openScenario,
  type OpenScenarioOptions,
  type Scenario,
} from "./scenario.ts";
export {
  type DecisionCredit,
  type EnvironmentTotals,
  SchedulingEnvironment,
  type SchedulingEnvironmentOptions,
  type SchedulingEnvironmentState,
  type SchedulingStep,
} from "./scheduling_environment.ts";
export { listShippedPolicies, loadShippedPolicy, shippedPolicyPath } from "./shipped_policies.ts";
export {
  type NamedObservation,
  StateDump,
  type StateDumpOptions,
  type StateDumpRecord,
} from "./state_dump.ts";
export {
  TemperatureController,
  type TemperatureSignals,
  temperatureSignals,
  type TemperatureState,
} from "./temperature_controller.ts";
export {
  type CheckpointOptions,
  countUpdates,
  type TrainOptions,
  trainPolicy,
} from "./train_policy.ts";
export { type ResumableCheckpoint, TrainingRun, type TrainingRunOptions } from "./training_run.ts";
export type { TrainingTask } from "./training_task.ts";
export { addUpdateEvents } from "./update_events.ts";
export { appendUpdate, readUpdates, rewindUpdates } from "./update_log.ts";
export type { UpdateRecord } from "./update_record.ts";
export type { TrainingWarning } from "./_warnings.ts";
export {
  type LoadPolicyOptions,
  loadTrainedPolicy,
  policyCheckpoint,
  resizeTrainedPolicy,
  type TrainedPolicy,
} from "./trained_policy.ts";
export {
  type EpisodeRecord,
  VectorEnvironment,
  type VectorEnvironmentState,
  type VectorStep,
} from "./vector_environment.ts";
