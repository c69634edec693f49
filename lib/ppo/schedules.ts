/**
 * Hyper-parameters that change over a run.
 *
 * @module
 */
import type { PpoConfig } from "./ppo_schema.ts";

/** Values in force during one update. */
export interface ScheduledValues {
  /** Adam's step size. */
  readonly learningRate: number;
  /** That of the critic's own parameters, with separate optimisers. */
  readonly criticLearningRate: number;
  /** Weight of the entropy bonus. */
  readonly entropyCoef: number;
}

/**
 * Weight of KL(current || reference): with p = min(1, stepCount / decaySteps),
 *
 * ```text
 * initial (1 - p) + final p
 * ```
 *
 * Source: spec/scheduler.md section 0; unlike the original's, it stays at its final value.
 *
 * @param stepCount Optimiser steps taken, >= 0.
 *
 * @example
 * ```ts
 * import { ppoSchema, referenceKlCoefAt } from "@signalbox/signalbox/ppo";
 * import assert from "node:assert/strict";
 *
 * const config = ppoSchema.parse({ referenceKlCoef: 0.5, referenceKlCoefFinal: 0.1 });
 * assert.equal(referenceKlCoefAt(config, 500), 0.3);
 * assert.equal(referenceKlCoefAt(config, 5000), 0.1);
 * ```
 */
export function referenceKlCoefAt(
  { referenceKlCoef, referenceKlCoefFinal, referenceKlDecaySteps }: Pick<
    PpoConfig,
    "referenceKlCoef" | "referenceKlCoefFinal" | "referenceKlDecaySteps"
  >,
  stepCount: number,
): number {
  const share = Math.min(1, stepCount / referenceKlDecaySteps);
  return referenceKlCoef * (1 - share) + referenceKlCoefFinal * share;
}

/**
 * What is added to the entropy coefficient while a run warms up:
 * coefficient (1 - stepCount / warmupSteps), 0 from warmupSteps on.
 *
 * Source: spec/scheduler.md section 10.
 *
 * @param stepCount Optimiser steps taken, >= 0.
 *
 * @example
 * ```ts
 * import { entropyWarmupAt, ppoSchema } from "@signalbox/signalbox/ppo";
 * import assert from "node:assert/strict";
 *
 * const config = ppoSchema.parse({ entropyWarmupCoef: 0.5, entropyWarmupSteps: 100 });
 * assert.equal(entropyWarmupAt(config, 75), 0.125);
 * assert.equal(entropyWarmupAt(config, 200), 0);
 * ```
 */
export function entropyWarmupAt(
  { entropyWarmupCoef, entropyWarmupSteps }: Pick<
    PpoConfig,
    "entropyWarmupCoef" | "entropyWarmupSteps"
  >,
  stepCount: number,
): number {
  return entropyWarmupCoef * Math.max(0, 1 - stepCount / entropyWarmupSteps);
}

/**
 * The scheduled hyper-parameters.
 *
 * @param progress Share of the run that is done, in [0, 1]; 0 in the first update.
 * @throws {RangeError} When progress is outside [0, 1].
 *
 * @example
 * ```ts
 * import { ppoSchema, scheduledValues } from "@signalbox/signalbox/ppo";
 * import assert from "node:assert/strict";
 *
 * const config = ppoSchema.parse({ learningRate: 0.01, learningRateSchedule: "linear" });
 * assert.equal(scheduledValues(config, 0.75).learningRate, 0.0025);
 * ```
 */
export function scheduledValues(config: PpoConfig, progress: number): ScheduledValues {
  if (!(progress >= 0 && progress <= 1)) {
    throw new RangeError(
      `Cannot compute the schedules: progress must be in [0, 1], current value is ${progress}`,
    );
  }
  const { learningRate, criticLearningRate, entropyCoef, entropyCoefFinal } = config;
  const remaining = config.learningRateSchedule === "linear" ? 1 - progress : 1;
  return {
    learningRate: learningRate * remaining,
    criticLearningRate: (criticLearningRate ?? learningRate) * remaining,
    entropyCoef: entropyCoef + progress * ((entropyCoefFinal ?? entropyCoef) - entropyCoef),
  };
}
