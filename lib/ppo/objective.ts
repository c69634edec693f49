/**
 * The whole PPO objective of one minibatch.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { categoricalKl, type Policy } from "../policy/mod.ts";
import { normalizeAdvantages } from "./advantages.ts";
import { clippedSurrogateLoss, clippedValueLoss, entropyFloorPenalty } from "./losses.ts";
import type { PpoConfig } from "./ppo_schema.ts";
import type { Minibatch } from "./rollout_buffer.ts";

/** Weights and thresholds of the objective; `entropyCoef` is the one now in force. */
export type ObjectiveConfig = Pick<
  PpoConfig,
  | "advantageNormalization"
  | "clipRatio"
  | "valueClipRatio"
  | "valueCoef"
  | "entropyCoef"
  | "entropyFloor"
  | "entropyFloorCoef"
  | "klCoef"
>;

/** The objective and its terms, as tensors of the caller. */
export interface Objective {
  /** What is minimised. */
  readonly totalLoss: tf.Scalar;
  /** Clipped surrogate. */
  readonly policyLoss: tf.Scalar;
  /** Half the mean squared error of the values. */
  readonly valueLoss: tf.Scalar;
  /** Mean entropy in nats. */
  readonly entropy: tf.Scalar;
  /** Mean exact divergence KL(old || new) in nats. */
  readonly klExact: tf.Scalar;
  /** `[M]`, log-probabilities of the stored actions under the present policy. */
  readonly logProbs: tf.Tensor1D;
}

/**
 * ```text
 * totalLoss = policyLoss + valueCoef * valueLoss + klCoef * KL(old || new) - entropyCoef * H
 *           + entropyFloorCoef * max(0, entropyFloor - H)
 * ```
 *
 * Stored and new log-probabilities, entropy and divergence all use the temperature and the mask
 * under which the action was chosen. Call inside `tf.tidy` or a gradient function.
 *
 * Source: spec/scheduler.md sections 0 and 10, with the exact divergence instead of an estimate
 * and a floor that has a gradient.
 */
export function ppoObjective(
  policy: Policy,
  minibatch: Minibatch,
  config: ObjectiveConfig,
): Objective {
  const { clipRatio, valueClipRatio, valueCoef, entropyCoef, klCoef } = config;
  const advantages = config.advantageNormalization === "minibatch"
    ? normalizeAdvantages(minibatch.advantages.slice())
    : minibatch.advantages;
  const { logProbs, entropies, values, logProbabilities } = policy.evaluateActions(minibatch);

  const ratios = tf.exp(tf.sub(logProbs, tf.tensor1d(minibatch.logProbs))) as tf.Tensor1D;
  const policyLoss = clippedSurrogateLoss(ratios, tf.tensor1d(advantages), clipRatio);
  const valueLoss = clippedValueLoss(values, {
    oldValues: tf.tensor1d(minibatch.values),
    returns: tf.tensor1d(minibatch.returns),
    valueClipRatio,
  });
  const entropy: tf.Scalar = tf.mean(entropies);
  const oldDistribution = tf.tensor2d(minibatch.logProbabilities, logProbabilities.shape);
  const klExact: tf.Scalar = tf.mean(categoricalKl(oldDistribution, logProbabilities));

  const terms: tf.Scalar[] = [
    policyLoss,
    tf.mul(valueCoef, valueLoss),
    tf.mul(klCoef, klExact),
    tf.mul(-entropyCoef, entropy),
    tf.mul(config.entropyFloorCoef, entropyFloorPenalty(entropy, config.entropyFloor)),
  ];
  return { totalLoss: tf.addN(terms), policyLoss, valueLoss, entropy, klExact, logProbs };
}
