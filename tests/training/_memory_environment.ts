import type { Environment, StepResult } from "../../lib/training/mod.ts";
import type { Rng } from "../../lib/random/mod.ts";

/**
 * Shows one of two cues in the first step, nothing for `delay` steps, then asks for it: reward 1 for
 * the right answer to the question, which ends the episode; 0 before. Observation: two cue flags
 * and the question flag. Without memory the best mean is 0.5 an episode.
 */
export function createMemoryEnvironment(
  rng: Rng,
  { delay }: { readonly delay: number },
): Environment {
  let cue = 0;
  let stepCount = 0;
  return {
    observationSize: 3,
    actionCount: 2,
    reset(observation: Float32Array): void {
      cue = rng.below(2);
      stepCount = 0;
      observation.fill(0);
      observation[cue] = 1;
    },
    step(action: number, observation: Float32Array): StepResult {
      const isQuestion = stepCount === delay + 1;
      stepCount++;
      observation.fill(0);
      if (stepCount === delay + 1) observation[2] = 1;
      return {
        reward: isQuestion && action === cue ? 1 : 0,
        terminated: isQuestion,
        truncated: false,
      };
    },
  };
}
