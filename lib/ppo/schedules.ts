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
  /** Weight of the entropy bonus. */
  readonly entropyCoef: number;
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
  const { learningRate, learningRateSchedule, entropyCoef, entropyCoefFinal } = config;
  return {
    learningRate: learningRateSchedule === "linear" ? learningRate * (1 - progress) : learningRate,
    entropyCoef: entropyCoef + progress * ((entropyCoefFinal ?? entropyCoef) - entropyCoef),
  };
}
