/**
 * Confidence intervals over a handful of seeds.
 *
 * @module
 */
import { requireOpenProbability } from "./_check.ts";
import { mean, sampleStd } from "./moments.ts";

/** An estimate with a confidence interval around it. */
export interface Interval {
  /** The estimate itself. */
  readonly estimate: number;
  /** Lower end. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
}

/**
 * Student-t confidence interval of a mean: `mean +- t s / sqrt(n)` with `s` the sample standard
 * deviation and `t` the quantile for `n - 1` degrees of freedom. With one value nothing is known
 * about the spread: both ends are `NaN`, which plots leave out.
 *
 * Source: Student, "The probable error of a mean", Biometrika 6 (1908).
 *
 * @param values One value a seed, `[n]`, finite.
 * @param confidence Coverage in (0, 1), 0.95 by default.
 * @throws {RangeError} When the sample is empty, a value is not finite, or the confidence is out of
 * range.
 *
 * @example Three seeds: t(0.975, 2) = 4.3027, s / sqrt(n) = 1.1547
 * ```ts
 * import { meanInterval } from "@signalbox/signalbox/stats";
 * import assert from "node:assert/strict";
 *
 * const { estimate, low, high } = meanInterval([8, 10, 12]);
 * assert.equal(estimate, 10);
 * assert.equal(low.toFixed(3), "5.032");
 * assert.equal(high.toFixed(3), "14.968");
 * ```
 */
export function meanInterval(values: ArrayLike<number>, confidence = 0.95): Interval {
  requireOpenProbability("compute a confidence interval", "confidence", confidence);
  const estimate = mean(values);
  if (values.length === 1) return { estimate, low: Number.NaN, high: Number.NaN };
  const t = studentTQuantile((1 + confidence) / 2, values.length - 1);
  const half = t * sampleStd(values) / Math.sqrt(values.length);
  return { estimate, low: estimate - half, high: estimate + half };
}

/**
 * Quantile of Student's t distribution with an integer number of degrees of freedom, by bisection
 * of its distribution function, which for integer degrees of freedom is a finite sum.
 *
 * Source: M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.
 *
 * @param probability In (0, 1).
 * @param degreesOfFreedom Integer >= 1.
 * @throws {RangeError} When an argument is out of range.
 *
 * @example
 * ```ts
 * import { studentTQuantile } from "@signalbox/signalbox/stats";
 * import assert from "node:assert/strict";
 *
 * assert.equal(studentTQuantile(0.975, 4).toFixed(4), "2.7764");
 * ```
 */
export function studentTQuantile(probability: number, degreesOfFreedom: number): number {
  requireOpenProbability("compute a Student-t quantile", "probability", probability);
  if (!Number.isInteger(degreesOfFreedom) || degreesOfFreedom < 1) {
    throw new RangeError(
      `Cannot compute a Student-t quantile: degreesOfFreedom must be an integer >= 1, current value is ${degreesOfFreedom}`,
    );
  }
  if (probability === 0.5) return 0;
  if (probability < 0.5) return -studentTQuantile(1 - probability, degreesOfFreedom);
  // Bisects the angle theta = atan(t / sqrt(df)), which is bounded however heavy the tail is.
  const target = 2 * probability - 1;
  let low = 0;
  let high = Math.PI / 2;
  for (let middle = (low + high) / 2; middle !== low && middle !== high;) {
    if (centralProbability(middle, degreesOfFreedom) < target) low = middle;
    else high = middle;
    middle = (low + high) / 2;
  }
  return Math.sqrt(degreesOfFreedom) * Math.tan((low + high) / 2);
}

/** P(|T| <= sqrt(df) tan theta): A(t | df) of Abramowitz and Stegun. */
function centralProbability(theta: number, degreesOfFreedom: number): number {
  const sine = Math.sin(theta);
  const cosine = Math.cos(theta);
  const isOdd = degreesOfFreedom % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = degreesOfFreedom === 1 ? 0 : term;
  for (let k = isOdd ? 3 : 2; k <= degreesOfFreedom - 2; k += 2) {
    term *= cosine * cosine * (k - 1) / k;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (theta + sine * sum) : sine * sum;
}
