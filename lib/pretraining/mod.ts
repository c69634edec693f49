/**
 * Warm start: demonstrations of routers, and policies cloned from them.
 *
 * @module
 */
export { type Agreement, agreementByRouter, overallAgreement } from "./agreement.ts";
export { collectDemonstrations, type CollectOptions } from "./collect_demonstrations.ts";
export { DemonstrationError } from "./demonstration_error.ts";
export {
  demonstrationColumns,
  type DemonstrationFolder,
  type DemonstrationRow,
  type Demonstrations,
  listDemonstrations,
  readDemonstrations,
  readManifest,
  removeDemonstrations,
} from "./demonstration_folder.ts";
export {
  type DemonstrationEpisode,
  type DemonstrationManifest,
  DEMONSTRATIONS_VERSION,
} from "./manifest.ts";
export {
  type PretrainedPolicy,
  type PretrainingEpoch,
  type PretrainOptions,
  pretrainPolicy,
} from "./pretrain_policy.ts";
export { type PretrainingConfig, pretrainingSchema } from "./pretraining_schema.ts";
export { type EpisodeSplit, splitEpisodes } from "./split_episodes.ts";
export {
  decisionWeights,
  softTargets,
  type TeacherTargets,
  teacherTargets,
} from "./teacher_targets.ts";
