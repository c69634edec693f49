/**
 * Clipping of the global gradient norm.
 *
 * @module
 */

/**
 * Factor that clips gradients of joint Euclidean norm `norm` to `maxNorm`: maxNorm / (norm + 1e-6)
 * where the norm is larger, else 1; as PyTorch's `clip_grad_norm_`.
 *
 * Source: detail 11 of "The 37 implementation details of PPO" (2022).
 *
 * @param maxNorm null = no clipping.
 *
 * @example
 * ```ts
 * import { gradientScale } from "@signalbox/signalbox/ppo";
 * import assert from "node:assert/strict";
 *
 * assert.equal(gradientScale(0.3, 0.5), 1);
 * assert.ok(Math.abs(gradientScale(2, 0.5) - 0.25) < 1e-6);
 * ```
 */
export function gradientScale(norm: number, maxNorm: number | null): number {
  return maxNorm !== null && norm > maxNorm ? maxNorm / (norm + 1e-6) : 1;
}
