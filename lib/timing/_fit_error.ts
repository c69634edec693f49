/**
 * How far fitted times are from measured ones.
 *
 * @module
 */
import { z } from "zod";
import { quantile } from "../stats/mod.ts";

const share = z.number().min(0);

/** Quantiles of `|predicted / measured - 1|`. */
export const fitErrorSchema = z.strictObject({
  points: z.int().min(1).describe("Measured points compared."),
  median: share.describe("Median relative error."),
  p90: share.describe("90th percentile."),
  max: share.describe("Largest."),
});

/** Validated {@linkcode fitErrorSchema}. */
export type FitError = z.infer<typeof fitErrorSchema>;

/** A fitted and a measured time, both in the same unit. */
export type FitPair = readonly [predicted: number, measured: number];

/** Summarises the relative errors of at least one pair; measured times are > 0. */
export function fitErrorOf(pairs: readonly FitPair[]): FitError {
  const errors = pairs.map(([predicted, measured]) => Math.abs(predicted / measured - 1));
  const round = (value: number): number => Number(value.toFixed(4));
  return {
    points: errors.length,
    median: round(quantile(errors, 0.5)),
    p90: round(quantile(errors, 0.9)),
    max: round(quantile(errors, 1)),
  };
}
