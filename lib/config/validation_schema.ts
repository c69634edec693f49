/**
 * How a policy is chosen among those that a training run passes through.
 *
 * @module
 */
import { z } from "zod";

/** Validation during training. It draws from streams of its own: it does not move what is learnt. */
export const validationSchema = z.strictObject({
  everyUpdates: z.int().min(0).default(0).describe(
    "Updates from one validation to the next; the last update is validated in any case. 0 = never",
  ),
  seeds: z.array(z.int().min(0)).min(1).refine(
    (seeds) => new Set(seeds).size === seeds.length,
    "a list of distinct integers >= 0",
  ).default([101, 102]).describe(
    "One run of validation arrivals each; they share none with the test, whatever its seeds",
  ),
  requests: z.int().min(2).default(500).describe("Requests a run"),
  keep: z.enum(["best", "last"]).default("best").describe(
    "Which policy a run results in: the one with the lowest mean E2E + reward.ttftWeight x mean TTFT " +
      "in validation, or that of the last update, validation or not",
  ),
});
