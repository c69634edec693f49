/**
 * Environments, experience and the training loop.
 *
 * @module
 */
export type { Environment, StepResult } from "./environment.ts";
export {
  collectRollout,
  createRolloutBuffer,
  type RolloutOptions,
  type RolloutStats,
} from "./rollout.ts";
export { type EpisodeRecord, VectorEnvironment, type VectorStep } from "./vector_environment.ts";
