/**
 * The training loop.
 *
 * @module
 */
import { createPolicy } from "../policy/mod.ts";
import { PpoTrainer, RewardScaler, type UpdateStats } from "../ppo/mod.ts";
import type { Rng } from "../random/mod.ts";
import type { RewardBreakdown } from "../reward/mod.ts";
import { RunningNormalizer, sharedStatisticSlots } from "../state/mod.ts";
import { ConfigError } from "../support/mod.ts";
import { RewardLog, RewardLoggedEnvironment } from "./reward_log.ts";
import { collectRollout, createRolloutBuffer } from "./rollout.ts";
import type { Scenario } from "./scenario.ts";
import { SchedulingEnvironment } from "./scheduling_environment.ts";
import type { TrainedPolicy } from "./trained_policy.ts";
import { VectorEnvironment } from "./vector_environment.ts";

/** One update, for logs and tables. */
export interface UpdateRecord {
  /** Which update, from 1. */
  readonly update: number;
  /** How many there will be. */
  readonly updateCount: number;
  /** Decisions so far, over all environments. */
  readonly decisions: number;
  /** Simulated seconds so far, over all environments. */
  readonly simulatedSeconds: number;
  /** What the trainer did. */
  readonly stats: UpdateStats;
  /** Means of the reward's parts over the rollout. */
  readonly reward: RewardBreakdown;
  /** Standard deviation of the reward over the rollout. */
  readonly rewardStd: number;
  /** Mean of the critic's values over the rollout. */
  readonly valueMean: number;
  /** Mean of the returns over the rollout. */
  readonly returnMean: number;
  /** Mean temperature of the decisions. */
  readonly temperature: number;
  /** Completed requests per simulated second during the rollout. */
  readonly throughput: number;
  /** Mean end-to-end latency of requests completed during the rollout; null if there were none. */
  readonly latencyMeanSeconds: number | null;
  /** How often each replica was chosen, summing to 1. */
  readonly actionShares: readonly number[];
}

/** How to train. */
export interface TrainOptions {
  /** Source of everything random; only its streams are used. */
  readonly rng: Rng;
  /** Called after every update. */
  readonly onUpdate?: (record: UpdateRecord) => void;
  /** Checked between updates. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Trains a policy in a scenario with PPO: parallel simulations with arrivals of their own, a phase
 * of random actions that feeds the normaliser, then rollouts and updates until the configured
 * number of decisions is reached.
 *
 * @returns The policy after the last update, its normaliser frozen.
 * @throws {ConfigError} When parts of the configuration do not fit together.
 * @throws The signal's reason when it fires.
 */
export async function trainPolicy(
  scenario: Scenario,
  options: TrainOptions,
): Promise<TrainedPolicy> {
  const { config } = scenario;
  const { rng, onUpdate, signal } = options;
  refuseMisfits(scenario);
  const log = new RewardLog();
  const members = createEnvironments(scenario, rng, log);
  const { layout, schemaHash } = members[0]!.inner;
  const normalizer = new RunningNormalizer(
    layout.size,
    config.normalizer,
    config.normalizer.shareReplicas ? sharedStatisticSlots(layout) : undefined,
  );
  const environments = new VectorEnvironment(members, { normalizer });
  const { count: environmentCount, observationSize, actionCount } = environments;
  stabilizeStatistics(environments, config.training.statisticsStabilizationSteps, rng);

  const policy = createPolicy(
    config.policy,
    { observationSize, actionCount, replicaLayout: layout },
    rng.stream("weights"),
  );
  try {
    const trainer = new PpoTrainer(policy, config.ppo, { rng: rng.stream("minibatches") });
    const buffer = createRolloutBuffer(policy, config.ppo, { environmentCount });
    const { gamma, rewardClip: clip } = config.ppo;
    const rewardScaler = config.ppo.rewardScaling
      ? new RewardScaler({ environmentCount, gamma, clip })
      : undefined;
    const actions = rng.stream("actions");
    const updateCount = countUpdates(scenario);
    let before = sumTotals(members);
    log.clear();
    for (let update = 1; update <= updateCount; update++) {
      await letOthersRun();
      signal?.throwIfAborted();
      const rollout = collectRollout(policy, environments, {
        buffer,
        rng: actions,
        config: config.ppo,
        rewardScaler,
      });
      const stats = trainer.update(buffer, { progress: (update - 1) / updateCount });
      const after = sumTotals(members);
      const completed = after.completedCount - before.completedCount;
      const { means, rewardStd } = log.take();
      onUpdate?.({
        update,
        updateCount,
        decisions: update * rollout.decisionCount,
        simulatedSeconds: after.simulatedSeconds,
        stats,
        reward: means,
        rewardStd,
        valueMean: meanOf(buffer.values),
        returnMean: meanOf(buffer.returns),
        temperature: rollout.temperatureMean,
        throughput: completed / (after.simulatedSeconds - before.simulatedSeconds),
        latencyMeanSeconds: completed === 0
          ? null
          : (after.latencySumSeconds - before.latencySumSeconds) / completed,
        actionShares: Array.from(
          rollout.actionCounts,
          (chosen) => chosen / rollout.decisionCount,
        ),
      });
      before = after;
    }
  } catch (error) {
    policy.dispose();
    throw error;
  }
  normalizer.freeze();
  return { config, policy, normalizer, schemaHash, replicaCount: actionCount };
}

/** Updates that the configured number of decisions makes, the last rollout whole. */
export function countUpdates({ config }: Pick<Scenario, "config">): number {
  const { environments, decisions } = config.training;
  return Math.ceil(decisions / (environments * config.ppo.rolloutLength));
}

function createEnvironments(
  scenario: Scenario,
  rng: Rng,
  log: RewardLog,
): RewardLoggedEnvironment[] {
  const { config, replicas } = scenario;
  const { discountTauSeconds, environments } = config.training;
  return Array.from({ length: environments }, (_, n) =>
    new RewardLoggedEnvironment(
      new SchedulingEnvironment({
        replicas,
        createWorkload: (_episode, episodeRng) => scenario.trainingWorkload(episodeRng),
        rng: rng.stream(`environment ${n}`),
        state: config.state,
        reward: config.reward,
        ...(discountTauSeconds === null ? {} : { discountTauSeconds }),
      }),
      log,
    ));
}

/** The document's statistics stabilisation: random actions, nothing learnt but the normaliser. */
function stabilizeStatistics(
  environments: VectorEnvironment,
  decisions: number,
  rng: Rng,
): void {
  const actions = rng.stream("stabilization");
  const { count, actionCount, actionMasks } = environments;
  environments.reset();
  for (let done = 0; done < decisions; done += count) {
    environments.step(Int32Array.from({ length: count }, (_, n) => {
      const mask = actionMasks.subarray(n * actionCount, (n + 1) * actionCount);
      const allowed = [...mask.keys()].filter((action) => mask[action] === 1);
      return allowed[actions.below(allowed.length)]!;
    }));
  }
}

interface Totals {
  readonly simulatedSeconds: number;
  readonly completedCount: number;
  readonly latencySumSeconds: number;
}

function sumTotals(members: readonly RewardLoggedEnvironment[]): Totals {
  let simulatedSeconds = 0;
  let completedCount = 0;
  let latencySumSeconds = 0;
  for (const { inner: { totals } } of members) {
    simulatedSeconds += totals.simulatedSeconds;
    completedCount += totals.completedCount;
    latencySumSeconds += totals.latencySumSeconds;
  }
  return { simulatedSeconds, completedCount, latencySumSeconds };
}

/** Refuses settings that are fine one by one but not together. */
function refuseMisfits({ config }: Scenario): void {
  const { ppo, reward } = config;
  if (reward.mode === "request") {
    throw new ConfigError("reward.mode", reward.mode, "one of delta, instant, hybrid, sojourn");
  }
  const { rolloutLength, sequenceLength } = ppo;
  if (sequenceLength !== null && rolloutLength % sequenceLength !== 0) {
    throw new ConfigError(
      "ppo.sequenceLength",
      sequenceLength,
      `a divisor of ppo.rolloutLength (${rolloutLength})`,
    );
  }
}

/** Gives timers, signals and messages a turn between two updates. */
function letOthersRun(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function meanOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
