/**
 * The terms of the PPO objective, each over the decisions of one minibatch (`[M]` tensors).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { clip, maximum, minimum, positivePart } from "../policy/mod.ts";

/**
 * Clipped surrogate: -mean(min(ratio A, clip(ratio, 1 - c, 1 + c) A)).
 *
 * Source: Schulman et al., "Proximal policy optimization algorithms" (2017), equation 7.
 *
 * @param ratios exp(new log-probability - old log-probability).
 */
export function clippedSurrogateLoss(
  ratios: tf.Tensor1D,
  advantages: tf.Tensor1D,
  clipRatio: number,
): tf.Scalar {
  const clipped = clip(ratios, 1 - clipRatio, 1 + clipRatio);
  return tf.neg(tf.mean(minimum(tf.mul(ratios, advantages), tf.mul(clipped, advantages))));
}

/** What {@linkcode clippedValueLoss} compares. */
export interface ValueTargets {
  /** Values when the actions were chosen. */
  readonly oldValues: tf.Tensor1D;
  /** Targets. */
  readonly returns: tf.Tensor1D;
  /** Largest move from the old value, in units of return; null = any. */
  readonly valueClipRatio: number | null;
}

/**
 * Squared error, half of its mean: 0.5 mean((V - R)^2); with clipping
 * 0.5 mean(max((V - R)^2, (V_old + clip(V - V_old, -c, c) - R)^2)).
 *
 * Source: spec/scheduler.md section 10; detail 9 of "The 37 implementation details of PPO". The
 * document's text leaves the half out.
 */
export function clippedValueLoss(
  values: tf.Tensor1D,
  { oldValues, returns, valueClipRatio }: ValueTargets,
): tf.Scalar {
  const squared = tf.squaredDifference(values, returns);
  if (valueClipRatio === null) return tf.mul(0.5, tf.mean(squared));
  const move = clip(tf.sub(values, oldValues), -valueClipRatio, valueClipRatio);
  const clipped = tf.squaredDifference(tf.add(oldValues, move), returns);
  return tf.mul(0.5, tf.mean(maximum(squared, clipped)));
}

/** Penalty max(0, floor - H) on a mean entropy H below the floor; its gradient raises H. */
export function entropyFloorPenalty(entropy: tf.Scalar, floor: number): tf.Scalar {
  return positivePart(tf.sub(floor, entropy));
}

/** Penalty max(0, H - ceiling) on a mean entropy H above the ceiling; its gradient lowers H. */
export function entropyCeilingPenalty(entropy: tf.Scalar, ceiling: number): tf.Scalar {
  return positivePart(tf.sub(entropy, ceiling));
}
