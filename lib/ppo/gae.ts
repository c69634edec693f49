/**
 * Generalised advantage estimation.
 *
 * @module
 */

/** A rollout of T steps in N environments; arrays `[T, N]`, row-major, unless stated. */
export interface GaeInput {
  /** Rewards of the steps. */
  readonly rewards: ArrayLike<number>;
  /** V(s_t). */
  readonly values: ArrayLike<number>;
  /** 1 where the step ended its episode for good: nothing follows. */
  readonly terminated: ArrayLike<number>;
  /** 1 where the episode was cut off after the step: what would follow is worth V. */
  readonly truncated: ArrayLike<number>;
  /** V of the state after the step, where `truncated` is 1; elsewhere not read. */
  readonly truncationValues: ArrayLike<number>;
  /** Discount of what follows the step. */
  readonly discounts: ArrayLike<number>;
  /** `[N]`, V of the states after the last step. */
  readonly lastValues: ArrayLike<number>;
  /** Number of environments N. */
  readonly environmentCount: number;
  /** Decay of longer estimates, in [0, 1]. */
  readonly gaeLambda: number;
}

/**
 * Advantages, backwards in time per environment:
 *
 * ```text
 * delta_t = r_t + discount_t * next_t - V(s_t)
 * A_t     = delta_t + discount_t * lambda * A_{t+1}
 * ```
 *
 * where `next_t` is V(s_{t+1}), or 0 after a termination, or V of the state that the cut-off step
 * led to after a truncation. Across the end of an episode A_{t+1} counts as 0.
 *
 * Source: Schulman et al., "High-dimensional continuous control using generalized advantage
 * estimation" (2016), equation 16; time limits after Pardo et al., "Time limits in reinforcement
 * learning" (2018).
 *
 * @param advantages Receives the result, `[T, N]`; accumulated in float64.
 * @returns `advantages`.
 * @throws {RangeError} When lengths do not fit.
 *
 * @example One environment, three steps
 * ```ts
 * import { computeGae } from "@signalbox/signalbox/ppo";
 * import assert from "node:assert/strict";
 *
 * const advantages = computeGae({
 *   rewards: [1, 0, 2],
 *   values: [0.5, 0.4, 0.3],
 *   terminated: [0, 0, 0],
 *   truncated: [0, 0, 0],
 *   truncationValues: [0, 0, 0],
 *   discounts: [0.9, 0.9, 0.9],
 *   lastValues: [0.2],
 *   environmentCount: 1,
 *   gaeLambda: 0.8,
 * }, new Float64Array(3));
 * assert.ok(Math.abs(advantages[2]! - 1.88) < 1e-12); // 2 + 0.9 * 0.2 - 0.3
 * ```
 */
export function computeGae<Target extends Float32Array | Float64Array>(
  input: GaeInput,
  advantages: Target,
): Target {
  const { rewards, values, terminated, truncated, truncationValues, discounts, lastValues } = input;
  const { environmentCount, gaeLambda } = input;
  checkLengths(input, advantages.length);
  const last = advantages.length - environmentCount;
  for (let n = 0; n < environmentCount; n++) {
    let following = 0;
    for (let i = last + n; i >= 0; i -= environmentCount) {
      let next = i < last ? values[i + environmentCount]! : lastValues[n]!;
      if (terminated[i] === 1) {
        next = 0;
        following = 0;
      } else if (truncated[i] === 1) {
        next = truncationValues[i]!;
        following = 0;
      }
      const discount = discounts[i]!;
      const delta = rewards[i]! + discount * next - values[i]!;
      following = delta + discount * gaeLambda * following;
      advantages[i] = following;
    }
  }
  return advantages;
}

/** Refuses arrays of unequal length. */
function checkLengths(input: GaeInput, length: number): void {
  const fields = [
    "rewards",
    "values",
    "terminated",
    "truncated",
    "truncationValues",
    "discounts",
  ] as const;
  for (const field of fields) {
    if (input[field].length !== length) {
      throw new RangeError(
        `Cannot compute advantages: ${field} must have ${length} entries, current value is ${
          input[field].length
        }`,
      );
    }
  }
  const { environmentCount, lastValues } = input;
  if (lastValues.length !== environmentCount || length % environmentCount !== 0) {
    throw new RangeError(
      `Cannot compute advantages: environmentCount must divide ${length} and equal lastValues.length, current value is ${environmentCount}`,
    );
  }
}
