/**
 * Gathering experience whose rewards come late.
 *
 * @module
 */
import type { Policy } from "../policy/mod.ts";
import type { RolloutStep } from "../ppo/mod.ts";
import type { CreditQueue } from "./credit_queue.ts";
import {
  countActions,
  RewardSummary,
  type RolloutOptions,
  type RolloutStats,
  truncationValues,
} from "./rollout.ts";
import type { DecisionCredit } from "./scheduling_environment.ts";
import type { VectorEnvironment } from "./vector_environment.ts";

/** How a rollout with late rewards is gathered. */
export interface CreditedRolloutOptions extends RolloutOptions {
  /** Decisions that wait for their rewards; goes on from rollout to rollout. */
  readonly queue: CreditQueue;
  /** Credits that an environment has handed out since the last call. */
  readonly takeCredits: (environmentIndex: number) => readonly DecisionCredit[];
}

/**
 * Fills the buffer with T steps of every environment whose rewards are all known, and computes
 * advantages and returns. The environments are stepped until so many steps have closed; what is
 * still open waits in the queue for the next rollout. A step may therefore be trained on an update
 * or two after it was taken; its stored log-probabilities, and with them the importance ratios, are
 * those of the policy that took it.
 *
 * @returns Statistics of the steps in the buffer; `episodes` are those that ended meanwhile.
 * @throws {RangeError} When shapes do not fit.
 */
export function collectCreditedRollout(
  policy: Policy,
  environments: VectorEnvironment,
  options: CreditedRolloutOptions,
): RolloutStats {
  const { buffer, config, queue, rewardScaler } = options;
  const rewards = new RewardSummary();
  if (!environments.isReset) environments.reset();
  buffer.clear();
  // Even when enough steps have closed already, so that no rollout is without news.
  takeStep(policy, environments, options);
  while (!buffer.isFull) {
    if (!queue.isReady) {
      takeStep(policy, environments, options);
      continue;
    }
    const closed = queue.oldestRewards!;
    rewards.add(closed);
    // Each reward is a return of its own: nothing is carried over from step to step.
    const stored = rewardScaler?.scale(closed, new Uint8Array(closed.length).fill(1)) ?? closed;
    queue.shiftInto(buffer, stored);
  }
  const lastValues = queue.oldestValues ?? policy.predict(environments.observations, {
    hiddenStates: queue.hiddenStates,
    episodeStarts: environments.episodeStarts,
    actionMasks: environments.actionMasks,
  }).values;
  buffer.finish(lastValues, config);
  const decisionCount = buffer.actions.length;
  return {
    decisionCount,
    ...rewards.summary(),
    temperatureMean: buffer.temperatures.reduce((sum, value) => sum + value, 0) / decisionCount,
    actionCounts: countActions(buffer.actions, policy.actionCount),
    episodes: environments.takeEpisodes(),
  };
}

/** Steps every environment once and pays what has become due. */
function takeStep(
  policy: Policy,
  environments: VectorEnvironment,
  { rng, config, temperature, queue, takeCredits }: CreditedRolloutOptions,
): void {
  const { observations, episodeStarts, actionMasks, count } = environments;
  const temperatures = Float32Array.from({ length: count }, (_, n) => temperature?.(n) ?? 1);
  const { hiddenStates } = queue;
  const decision = policy.act(observations, {
    hiddenStates,
    episodeStarts,
    actionMasks,
    temperatures,
    sampler: rng,
  });
  // Copied before the environments move on.
  const taken = copyStep({ observations, episodeStarts, actionMasks, temperatures, decision });
  const step = environments.step(decision.actions);
  queue.push(taken, {
    terminated: step.terminated,
    truncated: step.truncated,
    truncationValues: truncationValues(policy, step, decision.hiddenStates),
    discounts: step.discounts.map((given) => Number.isNaN(given) ? config.gamma : given),
  });
  for (let n = 0; n < count; n++) {
    for (const { decisionIndex, reward } of takeCredits(n)) queue.credit(n, decisionIndex, reward);
  }
}

/** A step in arrays of its own: those it came in are reused. */
function copyStep(step: RolloutStep): RolloutStep {
  const { decision } = step;
  return {
    observations: step.observations.slice(),
    episodeStarts: step.episodeStarts.slice(),
    actionMasks: step.actionMasks.slice(),
    temperatures: step.temperatures.slice(),
    decision: {
      ...decision,
      actions: decision.actions.slice(),
      logProbs: decision.logProbs.slice(),
      logProbabilities: decision.logProbabilities.slice(),
      values: decision.values.slice(),
      hiddenStates: decision.hiddenStates.slice(),
    },
  };
}
