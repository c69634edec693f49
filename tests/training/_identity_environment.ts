import type { Environment, StepResult } from "../../lib/training/mod.ts";
import type { Rng } from "../../lib/random/mod.ts";

/**
 * Shows one of `size` symbols, one-hot; reward 1 for naming it, 0 otherwise; episodes of
 * `episodeLength` steps end by truncation. A constant policy earns 1 / size a step. After
 * Stable-Baselines3's IdentityEnv.
 */
export function createIdentityEnvironment(
  rng: Rng,
  { size, episodeLength }: { readonly size: number; readonly episodeLength: number },
): Environment {
  let symbol = 0;
  let stepCount = 0;
  function show(observation: Float32Array): void {
    symbol = rng.below(size);
    observation.fill(0);
    observation[symbol] = 1;
  }
  return {
    observationSize: size,
    actionCount: size,
    reset(observation: Float32Array): void {
      stepCount = 0;
      show(observation);
    },
    step(action: number, observation: Float32Array): StepResult {
      const reward = action === symbol ? 1 : 0;
      show(observation);
      return { reward, terminated: false, truncated: ++stepCount === episodeLength };
    },
  };
}
