/**
 * One typed configuration for everything, its paths, its hash.
 *
 * @module
 */
export { applyAssignments } from "./apply_assignments.ts";
export { comparePresets, type PresetDifference } from "./compare_presets.ts";
export type { ConfigPath, ConfigValue } from "./config_path.ts";
export { configDifferences } from "./differences.ts";
export { type CurriculumConfig, curriculumSchema } from "./curriculum_schema.ts";
export { experimentJsonSchema } from "./experiment_json_schema.ts";
export { type ExperimentConfig, experimentSchema } from "./experiment_schema.ts";
export { canonicalJson, hashConfig, isRecord, type JsonValue } from "./json.ts";
export { mixtureSchema } from "./mixture_schema.ts";
export { type Assignment, assignPaths, parseAssignment } from "./overrides.ts";
export { type ExperimentInput, parseExperimentConfig } from "./parse_experiment.ts";
export { type PresetChange, presetChanges, type PresetName, presetNames } from "./presets.ts";
export { type TemperatureConfig, temperatureSchema } from "./temperature_schema.ts";
export { type EvaluationConfig, evaluationSchema, trainingRunSchema } from "./training_schema.ts";
export { validationSchema } from "./validation_schema.ts";
