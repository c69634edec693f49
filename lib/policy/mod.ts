/**
 * Networks that choose a replica and estimate how well things will go.
 *
 * @module
 */
export {
  ArrayFunction,
  type NamedArrays,
  type NamedTensors,
  type ShapedArray,
} from "./array_function.ts";
export { categoricalEntropy, categoricalKl, categoricalLogProbabilities } from "./categorical.ts";
export type {
  ActOptions,
  Decision,
  Evaluation,
  Prediction,
  PredictOptions,
  SequenceBatch,
} from "./decision.ts";
export { orthogonal } from "./initialization.ts";
export type {
  Network,
  NetworkInput,
  NetworkOutput,
  PolicyShape,
  ReplicaLayout,
} from "./network.ts";
export { type NamedWeights, ParameterSet, type WeightArray } from "./parameters.ts";
export { clip, maximum, minimum, positivePart } from "./piecewise.ts";
export { createPolicy, Policy, type PolicyCore } from "./policy.ts";
export {
  type ActorCriticConfig,
  fixedSizeReason,
  type MlpConfig,
  type PolicyConfig,
  policySchema,
  type ReplicaScorerConfig,
} from "./policy_schema.ts";
