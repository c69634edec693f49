/**
 * The whole PPO objective of one minibatch.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { categoricalKl, type NamedTensors, type Policy, type ShapedArray } from "../policy/mod.ts";
import { normalizeAdvantages } from "./advantages.ts";
import {
  clippedSurrogateLoss,
  clippedValueLoss,
  entropyCeilingPenalty,
  entropyFloorPenalty,
} from "./losses.ts";
import type { PpoConfig } from "./ppo_schema.ts";
import type { Minibatch } from "./rollout_buffer.ts";

/**
 * Weights and thresholds of the objective; `entropyCoef` and `referenceKlCoef` are those now in
 * force. `referenceKlCoef` is needed only where there is a reference policy, `entropyCeilingCoef` only
 * where there is a ceiling.
 */
export type ObjectiveConfig =
  & Pick<
    PpoConfig,
    | "advantageNormalization"
    | "clipRatio"
    | "valueClipRatio"
    | "valueCoef"
    | "entropyCoef"
    | "entropyFloor"
    | "entropyFloorCoef"
    | "klCoef"
  >
  & Partial<Pick<PpoConfig, "entropyCeiling" | "entropyCeilingCoef" | "referenceKlCoef">>;

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
  /** Mean exact divergence KL(current || reference) in nats; absent without a reference policy. */
  readonly referenceKl?: tf.Scalar;
  /** `[M]`, log-probabilities of the stored actions under the present policy. */
  readonly logProbs: tf.Tensor1D;
}

/**
 * A minibatch as the arrays that {@linkcode ppoObjective} wants as tensors: the policy's
 * ({@linkcode Policy.encodeBatch}), what the losses compare with, and the weights in force of the
 * terms whose weights change.
 */
export function encodeMinibatch(
  policy: Policy,
  minibatch: Minibatch,
  { advantageNormalization, entropyCoef, referenceKlCoef }: ObjectiveConfig,
): Record<string, ShapedArray> {
  const shape = [minibatch.returns.length];
  const advantages = advantageNormalization === "minibatch"
    ? normalizeAdvantages(minibatch.advantages.slice())
    : minibatch.advantages;
  const { referenceLogProbabilities } = minibatch;
  return {
    ...policy.encodeBatch(minibatch),
    oldLogProbs: { values: minibatch.logProbs, shape },
    oldLogProbabilities: {
      values: minibatch.logProbabilities,
      shape: [...shape, policy.actionCount],
    },
    oldValues: { values: minibatch.values, shape },
    advantages: { values: advantages, shape },
    returns: { values: minibatch.returns, shape },
    entropyCoef: { values: new Float32Array([entropyCoef]), shape: [] },
    ...(referenceLogProbabilities === undefined ? {} : {
      referenceLogProbabilities: {
        values: referenceLogProbabilities,
        shape: [...shape, policy.actionCount],
      },
      referenceKlCoef: { values: new Float32Array([referenceKlCoef!]), shape: [] },
    }),
  };
}

/**
 * ```text
 * totalLoss = policyLoss + valueCoef * valueLoss + klCoef * KL(old || new) - entropyCoef * H
 *           + entropyFloorCoef * max(0, entropyFloor - H)
 *           [+ entropyCeilingCoef * max(0, H - entropyCeiling), where there is a ceiling]
 *           [+ referenceKlCoef * KL(current || reference), where there is a reference policy]
 * ```
 *
 * Stored and new log-probabilities, entropy and divergences all use the temperature and the
 * mask under which the action was chosen. Call inside `tf.tidy`, a gradient function or an
 * {@linkcode ArrayFunction}.
 *
 * Source: spec/scheduler.md sections 0 and 10, with the exact divergence instead of an estimate
 * and a floor and a ceiling that have gradients.
 *
 * @param inputs Tensors of {@linkcode encodeMinibatch}'s names and shapes.
 */
export function ppoObjective(
  policy: Policy,
  inputs: NamedTensors,
  config: Omit<ObjectiveConfig, "entropyCoef" | "referenceKlCoef">,
): Objective {
  const { clipRatio, valueClipRatio, valueCoef, klCoef, entropyCeiling = null } = config;
  const { oldLogProbs, oldValues, advantages, returns } = inputs as Record<string, tf.Tensor1D>;
  const { logProbs, entropies, values, logProbabilities } = policy.evaluateActions(inputs);

  const ratios: tf.Tensor1D = tf.exp(tf.sub(logProbs, oldLogProbs!));
  const policyLoss = clippedSurrogateLoss(ratios, advantages!, clipRatio);
  const valueLoss = clippedValueLoss(values, {
    oldValues: oldValues!,
    returns: returns!,
    valueClipRatio,
  });
  const entropy: tf.Scalar = tf.mean(entropies);
  const oldLogProbabilities = inputs["oldLogProbabilities"] as tf.Tensor2D;
  const klExact: tf.Scalar = tf.mean(categoricalKl(oldLogProbabilities, logProbabilities));

  const terms: tf.Scalar[] = [
    policyLoss,
    tf.mul(valueCoef, valueLoss),
    tf.mul(klCoef, klExact),
    tf.neg(tf.mul(inputs["entropyCoef"]!, entropy)),
    tf.mul(config.entropyFloorCoef, entropyFloorPenalty(entropy, config.entropyFloor)),
  ];
  if (entropyCeiling !== null) {
    const penalty = entropyCeilingPenalty(entropy, entropyCeiling);
    terms.push(tf.mul(config.entropyCeilingCoef!, penalty));
  }
  const reference = inputs["referenceLogProbabilities"] as tf.Tensor2D | undefined;
  const referenceKl: tf.Scalar | undefined = reference &&
    tf.mean(categoricalKl(logProbabilities, reference));
  if (referenceKl !== undefined) terms.push(tf.mul(inputs["referenceKlCoef"]!, referenceKl));
  const totalLoss = terms.reduce((sum, term) => tf.add(sum, term));
  const objective = { totalLoss, policyLoss, valueLoss, entropy, klExact, logProbs };
  return referenceKl === undefined ? objective : { ...objective, referenceKl };
}
