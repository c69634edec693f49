/**
 * Proximal policy optimisation: rollouts in, better policies out.
 *
 * @module
 */
export { normalizeAdvantages } from "./advantages.ts";
export { explainedVariance, type RatioStatistics, ratioStatistics } from "./diagnostics.ts";
export { gradientScale } from "./gradient_scale.ts";
export { computeGae, type GaeInput } from "./gae.ts";
export {
  clippedSurrogateLoss,
  clippedValueLoss,
  entropyCeilingPenalty,
  entropyFloorPenalty,
  type ValueTargets,
} from "./losses.ts";
export {
  encodeMinibatch,
  type Objective,
  type ObjectiveConfig,
  ppoObjective,
} from "./objective.ts";
export {
  type GradientNorms,
  type OptimizerConfig,
  PolicyOptimizer,
  type PolicyOptimizerState,
} from "./policy_optimizer.ts";
export { type PpoConfig, ppoSchema } from "./ppo_schema.ts";
export {
  type LossTerms,
  PpoTrainer,
  type PpoTrainerState,
  type UpdateStats,
} from "./ppo_trainer.ts";
export { ReferencePolicy } from "./reference_policy.ts";
export { ReturnNormalizer, type ReturnNormalizerState } from "./return_normalizer.ts";
export { RewardScaler, type RewardScalerState } from "./reward_scaler.ts";
export {
  type Minibatch,
  RolloutBuffer,
  type RolloutBufferShape,
  type RolloutOutcome,
  type RolloutStep,
} from "./rollout_buffer.ts";
export {
  entropyWarmupAt,
  referenceKlCoefAt,
  type ScheduledValues,
  scheduledValues,
} from "./schedules.ts";
