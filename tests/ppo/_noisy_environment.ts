import type { Rng } from "../../lib/random/mod.ts";
import type { Environment, StepResult } from "../../lib/training/mod.ts";

/**
 * Normal observations; reward is the observation at the action's position. Episodes of 3 steps end
 * by turns in termination and truncation, so that both fall inside a rollout; one action is
 * forbidden in every third step.
 */
export function createNoisyEnvironment(
  rng: Rng,
  { observationSize, actionCount }: Pick<Environment, "observationSize" | "actionCount">,
): Environment {
  let stepCount = 0;
  const shown = new Float32Array(observationSize);
  function show(observation: Float32Array): void {
    for (let i = 0; i < observationSize; i++) shown[i] = rng.normal();
    observation.set(shown);
  }
  return {
    observationSize,
    actionCount,
    reset: show,
    step(action: number, observation: Float32Array): StepResult {
      const reward = shown[action]!;
      show(observation);
      stepCount++;
      return { reward, terminated: stepCount % 6 === 3, truncated: stepCount % 6 === 0 };
    },
    actionMask(mask: Uint8Array): void {
      mask.fill(1);
      if (stepCount % 3 === 1) mask[stepCount % actionCount] = 0;
    },
  };
}
