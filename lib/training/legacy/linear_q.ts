/**
 * The linear action values of the original's DQN.
 *
 * @module
 */
import type { Rng } from "../../random/mod.ts";

/** Hyper-parameters of {@linkcode LinearQ}. */
export interface LinearQOptions {
  /** Width D of an observation. */
  readonly observationSize: number;
  /** Actions A. */
  readonly actionCount: number;
  /** Step size. */
  readonly learningRate: number;
  /** Discount per decision, in [0, 1]. */
  readonly gamma: number;
}

/** A step of experience. */
export interface Transition {
  /** `[D]`, before the action. */
  readonly observation: Float32Array;
  /** The action. */
  readonly action: number;
  /** What it earned. */
  readonly reward: number;
  /** `[D]`, after it. */
  readonly next: Float32Array;
}

/** Weight of the squared norm of the weights. Source: spec/scheduler.md section 2. */
const L2 = 1e-5;

/** Largest norm of the summed gradient. Source: spec/scheduler.md section 2. */
const MAX_GRAD_NORM = 10;

/**
 * Q(s, a) = w_a . s + b_a, learnt by semi-gradient Q-learning: the target r + gamma max_a' Q(s', a')
 * comes from the same weights and no episode ever ends; errors beyond 1 count linearly (Huber).
 *
 * Source: spec/scheduler.md section 2 (DQN).
 *
 * @example One transition, by hand: the error 2 - 0 is cut to 1, the step is 0.5
 * ```ts
 * import { LinearQ } from "@signalbox/signalbox/training";
 * import { Rng } from "@signalbox/signalbox/random";
 * import assert from "node:assert/strict";
 *
 * const q = new LinearQ(
 *   { observationSize: 1, actionCount: 2, learningRate: 0.5, gamma: 0 },
 *   new Rng(1),
 * );
 * const zero = Float32Array.of(0); // leaves the weights out of it
 * q.learn([{ observation: zero, action: 1, reward: 2, next: zero }]);
 * assert.deepEqual([...q.values(zero)], [0, 0.5]);
 * ```
 */
export class LinearQ {
  readonly #options: LinearQOptions;
  /** `[A, D + 1]`, row-major, biases in the last column. */
  readonly #weights: Float64Array;

  /**
   * Values before any experience.
   *
   * @param rng Draws the weights, uniform in -+ sqrt(6 / (D + A)); biases begin at 0.
   */
  constructor(options: LinearQOptions, rng: Rng) {
    const { observationSize, actionCount } = options;
    this.#options = options;
    const bound = Math.sqrt(6 / (observationSize + actionCount));
    this.#weights = Float64Array.from(
      { length: actionCount * (observationSize + 1) },
      (_, i) => i % (observationSize + 1) === observationSize ? 0 : bound * (2 * rng.uniform() - 1),
    );
  }

  /** Values of all actions, new `[A]`. */
  values(observation: Float32Array): Float64Array {
    const { observationSize, actionCount } = this.#options;
    return Float64Array.from({ length: actionCount }, (_, action) => {
      const row = action * (observationSize + 1);
      let value = this.#weights[row + observationSize]!;
      for (let d = 0; d < observationSize; d++) value += this.#weights[row + d]! * observation[d]!;
      return value;
    });
  }

  /** One gradient step on a batch of at least one transition. */
  learn(batch: readonly Transition[]): void {
    const { observationSize, gamma, learningRate } = this.#options;
    const gradient = new Float64Array(this.#weights.length);
    for (const { observation, action, reward, next } of batch) {
      const target = reward + gamma * Math.max(...this.values(next));
      const error = Math.max(-1, Math.min(1, this.values(observation)[action]! - target));
      const row = action * (observationSize + 1);
      for (let d = 0; d < observationSize; d++) gradient[row + d]! += error * observation[d]!;
      gradient[row + observationSize]! += error;
    }
    let squares = 0;
    for (let i = 0; i < gradient.length; i++) {
      gradient[i]! += L2 * this.#weights[i]!;
      squares += gradient[i]! * gradient[i]!;
    }
    const clip = Math.min(1, MAX_GRAD_NORM / Math.sqrt(squares));
    const scale = learningRate / batch.length * clip;
    for (let i = 0; i < gradient.length; i++) this.#weights[i]! -= scale * gradient[i]!;
  }
}
