/**
 * The simulations of a training run.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import type { EpisodeDifficulty } from "./curriculum.ts";
import { type RewardLog, RewardLoggedEnvironment } from "./reward_log.ts";
import type { Scenario } from "./scenario.ts";
import { SchedulingEnvironment } from "./scheduling_environment.ts";
import type { VectorEnvironment } from "./vector_environment.ts";

/** What all simulations of a run share. */
export interface TrainingEnvironmentOptions {
  /** The run's source of randomness. */
  readonly rng: Rng;
  /** Told of every reward. */
  readonly log: RewardLog;
  /** What an episode that begins now is like. */
  readonly difficulty: () => EpisodeDifficulty;
  /** Told the end-to-end latency of every completed request and the replica that completed it. */
  readonly onLatency: (latencySeconds: number, replica: number) => void;
}

/** Sums over the simulations of a run. */
export interface RunTotals {
  /** Simulated seconds between decisions. */
  readonly simulatedSeconds: number;
  /** Requests completed. */
  readonly completedCount: number;
  /** Their end-to-end latencies in seconds, summed. */
  readonly latencySumSeconds: number;
}

/** Simulations of the scenario's tasks with arrivals of their own. */
export function createTrainingEnvironments(
  scenario: Scenario,
  { rng, log, difficulty, onLatency }: TrainingEnvironmentOptions,
): RewardLoggedEnvironment[] {
  const { config, trainingTasks } = scenario;
  const { discountTauSeconds, environments, episodeRequests } = config.training;
  // First episodes of different lengths: otherwise all clusters would be idle and fill up together.
  const firstLength = (n: number): number =>
    Math.max(2, Math.ceil((episodeRequests * (n + 1)) / environments));
  return trainingTasks.map((task, n) =>
    new RewardLoggedEnvironment(
      new SchedulingEnvironment({
        replicas: task.replicas,
        createWorkload: (episode, episodeRng) =>
          task.trainingWorkload(episodeRng, episode === 0 ? firstLength(n) : episodeRequests),
        createIncidents: (_episode, episodeRng, workload) => task.incidents(episodeRng, workload),
        rng: rng.stream(`environment ${n}`),
        state: config.state,
        reward: config.reward,
        difficulty,
        onLatency,
        ...(discountTauSeconds === null ? {} : { discountTauSeconds }),
      }),
      log,
    )
  );
}

/** The document's statistics stabilisation: random actions, nothing learnt but the normaliser. */
export function stabilizeStatistics(
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

/** Adds up over the simulations. */
export function sumTotals(members: readonly RewardLoggedEnvironment[]): RunTotals {
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
