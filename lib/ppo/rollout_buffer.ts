/**
 * The decisions of one rollout.
 *
 * @module
 */
import type { Decision, SequenceBatch } from "../policy/mod.ts";
import type { Rng } from "../random/mod.ts";
import { computeGae } from "./gae.ts";

/** Sizes of a buffer. */
export interface RolloutBufferShape {
  /** Steps T of every environment. */
  readonly rolloutLength: number;
  /** Environments N. */
  readonly environmentCount: number;
  /** Width D of an observation. */
  readonly observationSize: number;
  /** Actions A. */
  readonly actionCount: number;
  /** Floats S of hidden state; 0 = feed-forward. */
  readonly hiddenStateSize: number;
  /** Steps L of a training sequence, a divisor of T; 1 for feed-forward policies. */
  readonly sequenceLength: number;
}

/** What the agent saw and did in one step of all environments. */
export interface RolloutStep {
  /** `[N, D]`. */
  readonly observations: Float32Array;
  /** `[N]`, 1 where an episode starts with this step. */
  readonly episodeStarts: Uint8Array;
  /** The policy's answer. */
  readonly decision: Decision;
  /** `[N]`. */
  readonly temperatures: Float32Array;
  /** `[N, A]`, 1 = allowed. */
  readonly actionMasks: Uint8Array;
}

/** What the environments answered. */
export interface RolloutOutcome {
  /** `[N]`. */
  readonly rewards: ArrayLike<number>;
  /** `[N]`, 1 = ended for good. */
  readonly terminated: ArrayLike<number>;
  /** `[N]`, 1 = cut off. */
  readonly truncated: ArrayLike<number>;
  /** `[N]`, V of the state after the step where `truncated` is 1. */
  readonly truncationValues: ArrayLike<number>;
  /** `[N]`, discount of what follows. */
  readonly discounts: ArrayLike<number>;
}

/** Some of the buffer's sequences with what the loss needs; time-major `[L, B]` arrays. */
export interface Minibatch extends SequenceBatch {
  /** Log-probabilities of the actions when they were chosen. */
  readonly logProbs: Float32Array;
  /** `[L, B, A]`, the whole distributions when the actions were chosen. */
  readonly logProbabilities: Float32Array;
  /** Values when the actions were chosen. */
  readonly values: Float32Array;
  /** Advantages. */
  readonly advantages: Float32Array;
  /** Targets of the value function. */
  readonly returns: Float32Array;
  /** `[L, B, A]`, the reference policy's distributions; absent without one. */
  readonly referenceLogProbabilities?: Float32Array;
}

/**
 * Fixed-size store of T steps of N environments. Arrays are row-major `[T, N, ...]` and public, for
 * statistics; they are overwritten by the next rollout.
 *
 * The unit of shuffling is a sequence of L consecutive steps of one environment. Steps of a
 * sequence are never torn apart; with L = 1 (feed-forward policies) this is the usual flat shuffle.
 *
 * @example
 * ```ts
 * import { RolloutBuffer } from "@signalbox/signalbox/ppo";
 * import assert from "node:assert/strict";
 *
 * const buffer = new RolloutBuffer({
 *   rolloutLength: 8,
 *   environmentCount: 2,
 *   observationSize: 3,
 *   actionCount: 4,
 *   hiddenStateSize: 16,
 *   sequenceLength: 4,
 * });
 * assert.equal(buffer.sequenceCount, 4);
 * assert.equal(buffer.isFull, false);
 * ```
 */
export class RolloutBuffer {
  /** Sizes. */
  readonly shape: RolloutBufferShape;
  /** `[T, N, D]`. */
  readonly observations: Float32Array;
  /** `[T, N]`. */
  readonly actions: Int32Array;
  /** `[T, N]`, when chosen. */
  readonly logProbs: Float32Array;
  /** `[T, N, A]`, when chosen. */
  readonly logProbabilities: Float32Array;
  /** `[T, N]`, when chosen. */
  readonly values: Float32Array;
  /** `[T, N]`. */
  readonly temperatures: Float32Array;
  /** `[T, N, A]`. */
  readonly actionMasks: Uint8Array;
  /** `[T, N]`. */
  readonly episodeStarts: Uint8Array;
  /** `[T, N]`. */
  readonly rewards: Float64Array;
  /** `[T, N]`. */
  readonly terminated: Uint8Array;
  /** `[T, N]`. */
  readonly truncated: Uint8Array;
  /** `[T, N]`. */
  readonly truncationValues: Float32Array;
  /** `[T, N]`. */
  readonly discounts: Float64Array;
  /** `[T, N]`, after {@linkcode RolloutBuffer.finish}. */
  readonly advantages: Float32Array;
  /** `[T, N]`, after {@linkcode RolloutBuffer.finish}. */
  readonly returns: Float32Array;
  /** `[T / L, N, S]`, hidden states before the first step of every sequence. */
  readonly sequenceHiddenStates: Float32Array;
  /**
   * `[N, S]`, hidden states before the next step. They outlive {@linkcode RolloutBuffer.clear}: the
   * next rollout goes on where this one ended.
   */
  readonly hiddenStates: Float32Array;
  /** `[T, N, A]`. */
  #referenceLogProbabilities: Float32Array | undefined;
  #stepCount = 0;
  #isFinished = false;

  /**
   * An empty buffer; hidden states start at 0.
   *
   * @throws {RangeError} When a size is not an integer in its range or L does not divide T.
   */
  constructor(shape: RolloutBufferShape) {
    checkShape(shape);
    this.shape = { ...shape };
    const { rolloutLength, environmentCount, observationSize, actionCount, hiddenStateSize } =
      shape;
    const count = rolloutLength * environmentCount;
    this.observations = new Float32Array(count * observationSize);
    this.actions = new Int32Array(count);
    this.logProbs = new Float32Array(count);
    this.logProbabilities = new Float32Array(count * actionCount);
    this.values = new Float32Array(count);
    this.temperatures = new Float32Array(count);
    this.actionMasks = new Uint8Array(count * actionCount);
    this.episodeStarts = new Uint8Array(count);
    this.rewards = new Float64Array(count);
    this.terminated = new Uint8Array(count);
    this.truncated = new Uint8Array(count);
    this.truncationValues = new Float32Array(count);
    this.discounts = new Float64Array(count);
    this.advantages = new Float32Array(count);
    this.returns = new Float32Array(count);
    this.sequenceHiddenStates = new Float32Array(this.sequenceCount * hiddenStateSize);
    this.hiddenStates = new Float32Array(environmentCount * hiddenStateSize);
  }

  /** Number of sequences, `T / L * N`. */
  get sequenceCount(): number {
    const { rolloutLength, sequenceLength, environmentCount } = this.shape;
    return rolloutLength / sequenceLength * environmentCount;
  }

  /** Steps stored so far. */
  get stepCount(): number {
    return this.#stepCount;
  }

  /** Whether T steps are stored. */
  get isFull(): boolean {
    return this.#stepCount === this.shape.rolloutLength;
  }

  /** Whether advantages and returns are there: the buffer is ready for an update. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Empties the buffer for the next rollout. */
  clear(): void {
    this.#stepCount = 0;
    this.#isFinished = false;
    this.#referenceLogProbabilities = undefined;
  }

  /**
   * Stores what the agent saw and did in one step; {@linkcode RolloutBuffer.addOutcome} completes it.
   *
   * @throws {RangeError} When the buffer is full.
   */
  addDecision(step: RolloutStep): void {
    if (this.isFull) {
      throw new RangeError(
        `Cannot add a decision: stepCount must be below ${this.shape.rolloutLength}, current value is ${this.#stepCount}`,
      );
    }
    const { environmentCount, observationSize, actionCount, sequenceLength } = this.shape;
    const t = this.#stepCount;
    const row = t * environmentCount;
    if (t % sequenceLength === 0) {
      this.sequenceHiddenStates.set(
        this.hiddenStates,
        t / sequenceLength * this.hiddenStates.length,
      );
    }
    this.observations.set(step.observations, row * observationSize);
    this.actionMasks.set(step.actionMasks, row * actionCount);
    this.episodeStarts.set(step.episodeStarts, row);
    this.temperatures.set(step.temperatures, row);
    this.actions.set(step.decision.actions, row);
    this.logProbs.set(step.decision.logProbs, row);
    this.logProbabilities.set(step.decision.logProbabilities, row * actionCount);
    this.values.set(step.decision.values, row);
    this.hiddenStates.set(step.decision.hiddenStates);
  }

  /** Stores what the step led to and moves on to the next. */
  addOutcome(outcome: RolloutOutcome): void {
    const row = this.#stepCount * this.shape.environmentCount;
    this.rewards.set(outcome.rewards, row);
    this.terminated.set(outcome.terminated, row);
    this.truncated.set(outcome.truncated, row);
    this.truncationValues.set(outcome.truncationValues, row);
    this.discounts.set(outcome.discounts, row);
    this.#stepCount++;
  }

  /**
   * Computes advantages ({@linkcode computeGae}) and returns = advantages + values.
   *
   * @param lastValues `[N]`, V of the states after the last step.
   * @throws {RangeError} When the buffer is not full.
   */
  finish(lastValues: ArrayLike<number>, { gaeLambda }: { readonly gaeLambda: number }): void {
    if (!this.isFull) {
      throw new RangeError(
        `Cannot finish the rollout: stepCount must be ${this.shape.rolloutLength}, current value is ${this.#stepCount}`,
      );
    }
    const { environmentCount } = this.shape;
    const { rewards, values, terminated, truncated, truncationValues, discounts } = this;
    computeGae({
      rewards,
      values,
      terminated,
      truncated,
      truncationValues,
      discounts,
      lastValues,
      environmentCount,
      gaeLambda,
    }, this.advantages);
    for (let i = 0; i < this.returns.length; i++) {
      this.returns[i] = this.advantages[i]! + this.values[i]!;
    }
    this.#isFinished = true;
  }

  /**
   * Adds what a reference policy would have done at the decisions of this rollout.
   *
   * @param logProbabilities `[T, N, A]`; kept, not copied.
   * @throws {RangeError} When the length does not fit.
   */
  setReference(logProbabilities: Float32Array): void {
    if (logProbabilities.length !== this.logProbabilities.length) {
      throw new RangeError(
        `Cannot set the reference: logProbabilities must have ${this.logProbabilities.length} entries, current value is ${logProbabilities.length}`,
      );
    }
    this.#referenceLogProbabilities = logProbabilities;
  }

  /**
   * One epoch: all sequences in random order, in groups of about `minibatchSize` decisions (at
   * least one sequence). Every decision comes exactly once; the last group may be smaller.
   */
  *minibatches(minibatchSize: number, rng: Rng): Generator<Minibatch> {
    const perMinibatch = Math.max(1, Math.floor(minibatchSize / this.shape.sequenceLength));
    const order = rng.shuffle(Int32Array.from({ length: this.sequenceCount }, (_, i) => i));
    for (let begin = 0; begin < order.length; begin += perMinibatch) {
      yield this.gather(order.subarray(begin, begin + perMinibatch));
    }
  }

  /**
   * Copies sequences into a minibatch.
   *
   * @param sequences Indices: sequence `k * N + n` is steps `k L .. k L + L - 1` of environment `n`.
   */
  gather(sequences: ArrayLike<number>): Minibatch {
    const { environmentCount, observationSize, actionCount, hiddenStateSize, sequenceLength } =
      this.shape;
    const rows = new Int32Array(sequenceLength * sequences.length);
    for (let b = 0; b < sequences.length; b++) {
      const chunk = Math.floor(sequences[b]! / environmentCount);
      const environment = sequences[b]! % environmentCount;
      for (let t = 0; t < sequenceLength; t++) {
        rows[t * sequences.length + b] = (chunk * sequenceLength + t) * environmentCount +
          environment;
      }
    }
    const reference = this.#referenceLogProbabilities;
    return {
      sequenceLength,
      sequenceCount: sequences.length,
      observations: gatherRows(this.observations, rows, observationSize),
      hiddenStates: gatherRows(this.sequenceHiddenStates, sequences, hiddenStateSize),
      episodeStarts: gatherRows(this.episodeStarts, rows, 1),
      actions: gatherRows(this.actions, rows, 1),
      temperatures: gatherRows(this.temperatures, rows, 1),
      actionMasks: gatherRows(this.actionMasks, rows, actionCount),
      logProbs: gatherRows(this.logProbs, rows, 1),
      logProbabilities: gatherRows(this.logProbabilities, rows, actionCount),
      values: gatherRows(this.values, rows, 1),
      advantages: gatherRows(this.advantages, rows, 1),
      returns: gatherRows(this.returns, rows, 1),
      ...(reference === undefined
        ? {}
        : { referenceLogProbabilities: gatherRows(reference, rows, actionCount) }),
    };
  }
}

/** Copies rows of a row-major array. */
function gatherRows<Values extends Float32Array | Uint8Array | Int32Array>(
  source: Values,
  rows: ArrayLike<number>,
  width: number,
): Values {
  const target = new (source.constructor as new (length: number) => Values)(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const begin = rows[i]! * width;
    target.set(source.subarray(begin, begin + width), i * width);
  }
  return target;
}

/** Refuses impossible sizes. */
function checkShape(shape: RolloutBufferShape): void {
  for (const [name, value] of Object.entries(shape)) {
    const least = name === "hiddenStateSize" ? 0 : 1;
    if (!Number.isInteger(value) || value < least) {
      throw new RangeError(
        `Cannot create a rollout buffer: ${name} must be an integer >= ${least}, current value is ${value}`,
      );
    }
  }
  if (shape.rolloutLength % shape.sequenceLength !== 0) {
    throw new RangeError(
      `Cannot create a rollout buffer: sequenceLength must divide rolloutLength ${shape.rolloutLength}, current value is ${shape.sequenceLength}`,
    );
  }
}
