/**
 * One typed configuration for everything, its paths, its hash.
 *
 * @module
 */
export { applyAssignments, applyOverrides } from "./apply_overrides.ts";
export type { ConfigPath, ConfigValue } from "./config_path.ts";
export { type CurriculumConfig, curriculumSchema } from "./curriculum_schema.ts";
export {
  type ExperimentConfig,
  type ExperimentInput,
  experimentSchema,
  parseExperimentConfig,
} from "./experiment_schema.ts";
export { canonicalJson, hashConfig, isRecord, type JsonValue } from "./json.ts";
export { type Assignment, assignPaths, parseAssignment } from "./overrides.ts";
export { type TemperatureConfig, temperatureSchema } from "./temperature_schema.ts";
export {
  type EvaluationConfig,
  evaluationSchema,
  type TrainingConfig,
  trainingRunSchema,
} from "./training_schema.ts";
