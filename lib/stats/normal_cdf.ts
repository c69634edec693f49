/**
 * Levels of normal scores.
 *
 * @module
 */

/**
 * Probability that a standard normal variable is at most `score`, to 1e-7 (`0.5 erfc(-x / sqrt 2)`).
 * Source: Abramowitz and Stegun, Handbook of Mathematical Functions, formula 26.2.17.
 *
 * @example
 * ```ts
 * import { normalCdf } from "@signalbox/signalbox/stats";
 * import assert from "node:assert/strict";
 *
 * assert.ok(Math.abs(normalCdf(1.96) - 0.975) < 1e-5);
 * ```
 */
export function normalCdf(score: number): number {
  const distance = Math.abs(score);
  const t = 1 / (1 + 0.2316419 * distance);
  const series = t * (0.319381530 +
    t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const above = Math.exp(-distance * distance / 2) / Math.sqrt(2 * Math.PI) * series;
  return score > 0 ? 1 - above : above;
}
