/**
 * The categorical distribution over replicas, as tensors (for training) and as plain numbers (for
 * acting). Both use the same temperature and mask, so that the importance ratio of an untouched
 * policy is 1.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { tf } from "./_tensorflow.ts";

/**
 * Added to the logits of forbidden actions: finite, so that 0 * log(0) stays 0 in entropies, large
 * enough that their probability is exactly 0 in float32.
 */
const FORBIDDEN = -1e8;

/**
 * Log-probabilities log softmax(logits / temperature) over the allowed actions.
 *
 * @param logits `[rows, A]`.
 * @param temperatures `[rows, 1]`, each > 0.
 * @param actionMask `[rows, A]`, 1 = allowed; absent when every action is.
 * @returns `[rows, A]`; about -1e8 where forbidden.
 */
export function categoricalLogProbabilities(
  logits: tf.Tensor2D,
  temperatures: tf.Tensor2D,
  actionMask?: tf.Tensor2D,
): tf.Tensor2D {
  const tempered = tf.div(logits, temperatures) as tf.Tensor2D;
  if (actionMask === undefined) return tf.logSoftmax(tempered);
  return tf.logSoftmax(tf.add(tempered, tf.mul(tf.sub(1, actionMask), FORBIDDEN)) as tf.Tensor2D);
}

/**
 * Entropy -sum p log p of every row, in nats.
 *
 * @param logProbabilities `[rows, A]`.
 * @returns `[rows]`.
 */
export function categoricalEntropy(logProbabilities: tf.Tensor2D): tf.Tensor1D {
  return tf.neg(tf.sum(tf.mul(tf.exp(logProbabilities), logProbabilities), 1));
}

/**
 * Exact Kullback-Leibler divergence KL(p || q) = sum p (log p - log q) of every row, in nats.
 *
 * @param logP `[rows, A]`.
 * @param logQ `[rows, A]`.
 * @returns `[rows]`.
 */
export function categoricalKl(logP: tf.Tensor2D, logQ: tf.Tensor2D): tf.Tensor1D {
  return tf.sum(tf.mul(tf.exp(logP), tf.sub(logP, logQ)), 1);
}

/** What {@linkcode chooseAction} needs to know about one row. */
export interface ActionChoice {
  /** Position of the row's first entry in all arrays. */
  readonly offset: number;
  /** Divides the logits, > 0. */
  readonly temperature: number;
  /** 1 = allowed, same layout as the logits; absent when every action is. */
  readonly actionMask?: Uint8Array | undefined;
  /** Draws the action (one uniform), or `"greedy"` for the most probable one, lowest index first. */
  readonly sampler: Rng | "greedy";
}

/**
 * Chooses one action from a row of logits and writes the log-probabilities of the row.
 *
 * @param logits Any array whose entries `offset .. offset + actionCount - 1` are the row.
 * @param logProbabilities Written at the same positions, see {@linkcode categoricalLogProbabilities}.
 * @returns The action, in `[0, actionCount)`.
 * @throws {RangeError} When no action is allowed or a logit is not finite.
 */
export function chooseAction(
  logits: Float32Array,
  logProbabilities: Float32Array,
  { actionCount, offset, temperature, actionMask, sampler }: ActionChoice & {
    /** Number of actions. */
    readonly actionCount: number;
  },
): number {
  const end = offset + actionCount;
  let largest = -Infinity;
  let greedy = -1;
  for (let i = offset; i < end; i++) {
    if (actionMask !== undefined && actionMask[i] === 0) continue;
    const tempered = logits[i]! / temperature;
    if (!Number.isFinite(tempered)) {
      throw new RangeError(
        `Cannot choose an action: logits must be finite, current value is ${logits[i]}`,
      );
    }
    if (tempered > largest) {
      largest = tempered;
      greedy = i - offset;
    }
  }
  if (greedy < 0) {
    throw new RangeError(
      "Cannot choose an action: actionMask must allow at least one action, current value is all 0",
    );
  }
  let total = 0;
  for (let i = offset; i < end; i++) {
    if (actionMask === undefined || actionMask[i] !== 0) {
      total += Math.exp(logits[i]! / temperature - largest);
    }
  }
  const logTotal = Math.log(total) + largest;
  const threshold = sampler === "greedy" ? Infinity : sampler.uniform();
  let cumulative = 0;
  let sampled = -1;
  let lastAllowed = greedy;
  for (let i = offset; i < end; i++) {
    if (actionMask !== undefined && actionMask[i] === 0) {
      logProbabilities[i] = FORBIDDEN;
      continue;
    }
    const logProbability = logits[i]! / temperature - logTotal;
    logProbabilities[i] = logProbability;
    cumulative += Math.exp(logProbability);
    lastAllowed = i - offset;
    if (sampled < 0 && threshold < cumulative) sampled = lastAllowed;
  }
  if (sampler === "greedy") return greedy;
  // Rounding may leave the sum just below 1.
  return sampled < 0 ? lastAllowed : sampled;
}
