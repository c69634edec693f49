import { Rng } from "../../lib/random/mod.ts";
import { createTrainingEnvironments } from "../../lib/training/_training_environments.ts";
import { CONFIGURED_TASK, type Scenario } from "../../lib/training/mod.ts";
import { RewardLog } from "../../lib/training/reward_log.ts";

/** Replicas that may be chosen at the first decision of each training simulation. */
export function firstMasks(scenario: Scenario): number[][] {
  return createTrainingEnvironments(scenario, {
    rng: new Rng(1),
    log: new RewardLog(),
    difficulty: () => CONFIGURED_TASK,
    onLatency: () => {},
  }).map(({ inner }) => {
    inner.reset(new Float32Array(inner.observationSize));
    const mask = new Uint8Array(inner.actionCount);
    inner.actionMask(mask);
    return [...mask];
  });
}
