/**
 * What a policy is asked and what it answers.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import type { tf } from "./_tensorflow.ts";

/** What a forward pass of a batch of environments needs beside the observations. */
export interface PredictOptions {
  /** `[N, S]`, hidden states before this step; may be left out when S is 0. */
  readonly hiddenStates?: Float32Array | undefined;
  /** `[N]`, 1 where an episode starts (its hidden state is cleared first); default all 0. */
  readonly episodeStarts?: Uint8Array | undefined;
  /** `[N, A]`, 1 = allowed; default all allowed. */
  readonly actionMasks?: Uint8Array | undefined;
}

/** How actions are chosen from logits. */
export interface ActOptions extends PredictOptions {
  /** Draws one uniform a row in row order, or `"greedy"`: the most probable allowed action. */
  readonly sampler: Rng | "greedy";
  /** `[N]`, each > 0: logits are divided by it; default all 1. */
  readonly temperatures?: Float32Array | undefined;
}

/** Output of a forward pass; new arrays. */
export interface Prediction {
  /** `[N, A]`, before temperature and mask. */
  readonly logits: Float32Array;
  /** `[N]`. */
  readonly values: Float32Array;
  /** `[N, S]`, after this step. */
  readonly hiddenStates: Float32Array;
}

/** A prediction with the chosen actions. */
export interface Decision extends Prediction {
  /** `[N]`. */
  readonly actions: Int32Array;
  /** `[N]`, of the chosen actions under the tempered, masked distribution. */
  readonly logProbs: Float32Array;
  /** `[N, A]`, the whole distribution, for exact divergences. */
  readonly logProbabilities: Float32Array;
}

/** Sequences of stored decisions, time-major: entry `t * sequenceCount + b` of every array. */
export interface SequenceBatch {
  /** Steps T of each sequence; 1 for feed-forward training. */
  readonly sequenceLength: number;
  /** Sequences B. */
  readonly sequenceCount: number;
  /** `[T, B, D]`. */
  readonly observations: Float32Array;
  /** `[B, S]`, as stored when the first step was taken. */
  readonly hiddenStates: Float32Array;
  /** `[T, B]`, 1 where an episode starts. */
  readonly episodeStarts: Uint8Array;
  /** `[T, B]`. */
  readonly actions: Int32Array;
  /** `[T, B]`, the ones used for acting. */
  readonly temperatures: Float32Array;
  /** `[T, B, A]`, 1 = allowed. */
  readonly actionMasks: Uint8Array;
}

/** What training needs of stored decisions under the present parameters; tensors of the caller. */
export interface Evaluation {
  /** `[T * B]`, of the stored actions. */
  readonly logProbs: tf.Tensor1D;
  /** `[T * B]`, in nats. */
  readonly entropies: tf.Tensor1D;
  /** `[T * B]`. */
  readonly values: tf.Tensor1D;
  /** `[T * B, A]`, before temperature and mask. */
  readonly logits: tf.Tensor2D;
  /** `[T * B, A]`, tempered and masked. */
  readonly logProbabilities: tf.Tensor2D;
}
