import type { Environment } from "../../lib/training/mod.ts";

/**
 * An environment of one number with two constants beside it: the LayerNorm at the entrance of
 * `actor_critic` makes 0 of a number that is alone.
 */
export function withConstants(environment: Environment): Environment {
  return {
    ...environment,
    actionCount: environment.actionCount,
    observationSize: 3,
    reset(observation): void {
      environment.reset(observation.subarray(0, 1));
      observation.set(CONSTANTS, 1);
    },
    step(action, observation) {
      const result = environment.step(action, observation.subarray(0, 1));
      observation.set(CONSTANTS, 1);
      return result;
    },
  };
}

const CONSTANTS = [0.4, -0.4];

/** What {@linkcode withConstants} shows for a number. */
export function besideConstants(value: number): Float32Array {
  return Float32Array.of(value, ...CONSTANTS);
}
