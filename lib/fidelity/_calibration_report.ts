/**
 * What a log tells of the coefficients, and what not.
 *
 * @module
 */
import type { AnalyticProfile } from "../timing/mod.ts";
import { coefficientPriors, MAX_DEVIATIONS } from "./_calibration_coefficients.ts";

type Coefficient = AnalyticProfile["coefficients"][number];

/** Standard error, in standard deviations of the prior, up to which the log has told a coefficient. */
const IDENTIFIED = 0.5;
/** Cosine of two coefficients' effects on the latencies from which they can stand in for another. */
const EXCHANGEABLE = 0.95;

/**
 * Values with standard errors by the delete-a-block jackknife,
 * `sqrt((k - 1) / k sum (x_i - mean)^2)` over `k` fits that each leave out one block.
 */
export function describeCoefficients(
  deviations: readonly number[],
  leftOut: readonly (readonly number[])[],
): Coefficient[] {
  const k = leftOut.length;
  const jackknife = (values: readonly number[]): number => {
    const centre = values.reduce((sum, value) => sum + value, 0) / k;
    const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
    return Math.sqrt((k - 1) / k * squares);
  };
  return coefficientPriors.map(({ name, meaning, value }, i) => {
    const inDeviations = leftOut.map((fit) => fit[i]!);
    return {
      name,
      meaning,
      prior: value(0),
      value: round(value(deviations[i]!)),
      standardError: round(jackknife(inDeviations.map(value))),
      isIdentified: jackknife(inDeviations) <= IDENTIFIED,
    };
  });
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

/** Sentences for a reader of the profile. */
export function warningsOf(
  coefficients: readonly Coefficient[],
  jacobian: readonly (readonly number[])[],
  deviations: readonly number[],
): string[] {
  const unsure = coefficients.filter(({ isIdentified }) => !isIdentified).map(({ name }) =>
    `${name}: the log hardly tells it, its standard error is more than half of what was expected ` +
    "without a log; its value is drawn towards that expectation"
  );
  const atBound = coefficients.filter((_, i) => {
    const { least } = coefficientPriors[i]!;
    return deviations[i]! <= least || deviations[i]! >= MAX_DEVIATIONS;
  }).map(({ name }) => `${name}: it is at the end of the range that is allowed`);
  const pairs = coefficients.flatMap((first, i) =>
    coefficients.slice(i + 1).filter((_, j) =>
      Math.abs(cosine(jacobian, i, i + 1 + j)) >= EXCHANGEABLE
    ).map((second) =>
      `${first.name} and ${second.name}: they change the latencies of this log in nearly the same ` +
      "way, so that it tells what they do together, not each"
    )
  );
  return [...unsure, ...atBound, ...pairs];
}

function cosine(jacobian: readonly (readonly number[])[], i: number, j: number): number {
  let [dot, first, second] = [0, 0, 0];
  for (const row of jacobian) {
    dot += row[i]! * row[j]!;
    first += row[i]! ** 2;
    second += row[j]! ** 2;
  }
  return dot / Math.sqrt(first * second);
}
