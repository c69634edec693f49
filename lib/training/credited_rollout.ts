/**
 * Gathering experience whose rewards come late.
 *
 * @module
 */
import type { Policy } from "../policy/mod.ts";
import type { RolloutStep } from "../ppo/mod.ts";
import type { CreditQueue } from "./credit_queue.ts";
import {
  describeRollout,
  inReturnUnits,
  RewardRange,
  type RolloutOptions,
  type RolloutStats,
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
 * Fills the buffer with T decisions of every environment whose rewards are known, and computes
 * advantages and returns. The environments are stepped until so many have closed; what is still
 * open waits in the queue for the next rollout. A decision may therefore be trained on an update or
 * more after it was taken; its stored log-probabilities, and with them the importance ratios, are
 * those of the policy that took it.
 *
 * Each decision is a problem of its own (a contextual bandit): its return is its reward, nothing
 * that follows counts. Source: spec/scheduler.md appendix A2.
 *
 * @returns Statistics of the decisions in the buffer; `episodes` are those that ended meanwhile.
 * @throws {RangeError} When shapes do not fit.
 */
export function collectCreditedRollout(
  policy: Policy,
  environments: VectorEnvironment,
  options: CreditedRolloutOptions,
): RolloutStats {
  const { buffer, config, queue, rewardScaler } = options;
  const rewards = new RewardRange();
  const none = new Uint8Array(environments.count);
  const every = new Uint8Array(environments.count).fill(1);
  if (!environments.isReset) environments.reset();
  buffer.clear();
  // Even when enough steps have closed already, so that no rollout is without news.
  takeStep(policy, environments, options);
  while (!buffer.isFull) {
    if (!queue.isReady) {
      takeStep(policy, environments, options);
      continue;
    }
    const closed = queue.take();
    rewards.add(closed.rewards);
    buffer.addDecision(closed.step);
    buffer.addOutcome({
      rewards: rewardScaler?.scale(closed.rewards, every) ?? closed.rewards,
      terminated: every,
      truncated: none,
      truncationValues: none,
      discounts: none,
    });
  }
  buffer.finish(none, config);
  return describeRollout(buffer, rewards, environments);
}

/** Steps every environment once and pays what has become due. */
function takeStep(
  policy: Policy,
  environments: VectorEnvironment,
  { rng, temperature, queue, takeCredits, returnNormalizer, watcher }: CreditedRolloutOptions,
): void {
  const { observations, episodeStarts, actionMasks, count } = environments;
  const temperatures = Float32Array.from({ length: count }, (_, n) => temperature?.(n) ?? 1);
  const { hiddenStates } = queue;
  const decision = inReturnUnits(
    policy.act(observations, {
      hiddenStates,
      episodeStarts,
      actionMasks,
      temperatures,
      sampler: rng,
    }),
    returnNormalizer,
  );
  const decided = { observations, episodeStarts, actionMasks, temperatures, decision };
  // Copied before the environments move on.
  queue.push(copyStep(decided));
  watcher?.onDecided(decided);
  environments.step(decision.actions);
  for (let n = 0; n < count; n++) {
    for (const { decisionIndex, reward } of takeCredits(n)) queue.credit(n, decisionIndex, reward);
  }
  watcher?.onStepped();
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
      logits: decision.logits.slice(),
      actions: decision.actions.slice(),
      logProbs: decision.logProbs.slice(),
      logProbabilities: decision.logProbabilities.slice(),
      values: decision.values.slice(),
      hiddenStates: decision.hiddenStates.slice(),
    },
  };
}
