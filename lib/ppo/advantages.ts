/**
 * Normalisation of advantages.
 *
 * @module
 */

/** Keeps a minibatch of equal advantages from dividing by 0. */
const EPSILON = 1e-8;

/**
 * Shifts and scales to mean 0 and population deviation 1, in place. A single advantage is left as
 * it is: it has no deviation.
 *
 * Source: detail 7 of "The 37 implementation details of PPO"; epsilon as there.
 *
 * @returns `advantages`.
 */
export function normalizeAdvantages(advantages: Float32Array): Float32Array {
  const count = advantages.length;
  if (count < 2) return advantages;
  let mean = 0;
  for (let i = 0; i < count; i++) mean += advantages[i]! / count;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += (advantages[i]! - mean) ** 2;
  const deviation = Math.sqrt(sum / count);
  for (let i = 0; i < count; i++) advantages[i] = (advantages[i]! - mean) / (deviation + EPSILON);
  return advantages;
}
