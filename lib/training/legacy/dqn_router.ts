/**
 * The original's DQN, as a router that learns while it routes.
 *
 * @module
 */
import type { Rng } from "../../random/mod.ts";
import { RewardCalculator, type RewardConfig, rewardSchema } from "../../reward/mod.ts";
import type { RoutingDecision, SimulationObserver } from "../../simulator/mod.ts";
import { RunningNormalizer, StateBuilder, type StateEpisode } from "../../state/mod.ts";
import type { EpisodeRouter } from "../episode_router.ts";
import { LEGACY_STATE } from "./_legacy_observation.ts";
import { LinearQ, type Transition } from "./linear_q.ts";

/** Defaults of the original. Source: spec/scheduler.md section 2. */
const LEARNING_RATE = 5e-3;
const GAMMA = 0.99;
const EPSILON = 0.1;
const EPSILON_DECAY = 0.995;
const MIN_EPSILON = 0.01;
const REPLAY_SIZE = 10_000;
const BATCH_SIZE = 32;
const NORMALIZER = { clip: 5, epsilon: 1e-6, relativeStdFloor: 0, minCount: 2 };

/** Change of throughput minus latency and imbalance over the last second; the clip is below. */
const REWARD: RewardConfig = rewardSchema.parse({
  mode: "delta",
  metrics: { scope: "window", windowSeconds: 1 },
  latencyWeight: 1,
  utilizationRangeWeight: 0.1,
  loadBalanceWeight: 0,
  latencyPenaltyScale: 0,
});

/** What a {@linkcode DqnRouter} needs. */
export interface DqnRouterOptions {
  /** Replicas of the cluster. */
  readonly replicaCount: number;
  /** Draws weights, exploring actions and the experience to learn from. */
  readonly rng: Rng;
}

/**
 * Linear Q-learning with replay and an epsilon-greedy choice, one gradient step a decision. It
 * begins anew with every router and is kept for comparison: in the original it collapses, because
 * of its reward and because, without a target network or an end of episodes, values chase themselves.
 *
 * Differences from the original: its random streams are its own instead of a global seed of 42, the
 * very first observation is normalised to 0, output lengths are hidden, and replicas that cannot be
 * chosen are not.
 *
 * Source: spec/scheduler.md section 2 (DQN).
 */
export class DqnRouter implements EpisodeRouter {
  /** Name, as in result tables. */
  readonly name: string = "dqn";
  readonly #stateBuilder: StateBuilder;
  readonly #reward = new RewardCalculator(REWARD);
  readonly #normalizer: RunningNormalizer;
  readonly #q: LinearQ;
  readonly #rng: Rng;
  readonly #replay: Transition[] = [];
  #replayCount = 0;
  #epsilon = EPSILON;
  #last: Pick<Transition, "observation" | "action"> | undefined;

  /** A router that knows nothing yet. */
  constructor({ replicaCount, rng }: DqnRouterOptions) {
    this.#stateBuilder = new StateBuilder(LEGACY_STATE, replicaCount);
    const observationSize = this.#stateBuilder.size;
    this.#normalizer = new RunningNormalizer(observationSize, NORMALIZER);
    this.#rng = rng.stream("decisions");
    this.#q = new LinearQ(
      { observationSize, actionCount: replicaCount, learningRate: LEARNING_RATE, gamma: GAMMA },
      rng.stream("weights"),
    );
  }

  /** Watches the run for observations and rewards. */
  get observer(): SimulationObserver {
    const watchers = [this.#stateBuilder, this.#reward] as const;
    return {
      onRouted: (...event) => watchers.forEach((watcher) => watcher.onRouted(...event)),
      onRequeued: (...event) => watchers.forEach((watcher) => watcher.onRequeued(...event)),
      onFirstToken: (...event) => this.#stateBuilder.onFirstToken(...event),
      onCompleted: (...event) => watchers.forEach((watcher) => watcher.onCompleted(...event)),
    };
  }

  /** Prepares for a run; what was learnt stays. */
  begin(episode: StateEpisode): void {
    this.#stateBuilder.reset(episode);
    this.#reward.reset(episode.arrivalSeconds);
    this.#last = undefined;
  }

  /** Learns from the last decision and takes the next one. */
  route(decision: RoutingDecision): number {
    const { nowSeconds, view } = decision;
    const observation = this.#observe(decision);
    const { reward } = this.#reward.evaluate(nowSeconds, view);
    if (this.#last !== undefined) {
      this.#remember({
        ...this.#last,
        reward: Math.max(-1, Math.min(1, reward)),
        next: observation,
      });
      this.#learn();
    }
    const action = this.#choose(observation, decision);
    this.#last = { observation, action };
    return action;
  }

  #observe(decision: RoutingDecision): Float32Array {
    this.#stateBuilder.observe(decision);
    const observation = new Float32Array(this.#stateBuilder.size);
    this.#stateBuilder.build(decision, observation);
    this.#normalizer.update(observation);
    return this.#normalizer.normalize(observation, observation);
  }

  /** Keeps the latest transitions, the oldest overwritten. */
  #remember(transition: Transition): void {
    this.#replay[this.#replayCount++ % REPLAY_SIZE] = transition;
  }

  #learn(): void {
    if (this.#replay.length < BATCH_SIZE) return;
    this.#q.learn(
      Array.from(
        { length: BATCH_SIZE },
        () => this.#replay[this.#rng.below(this.#replay.length)]!,
      ),
    );
    this.#epsilon = Math.max(MIN_EPSILON, EPSILON_DECAY * this.#epsilon);
  }

  /** Epsilon-greedy over the available replicas, ties drawn. */
  #choose(observation: Float32Array, { view }: RoutingDecision): number {
    const available: number[] = [];
    for (let r = 0; r < view.replicaCount; r++) if (view.isAvailable(r)) available.push(r);
    if (available.length === 0) {
      throw new RangeError(
        "Cannot route a request: the number of available replicas must be >= 1, current value is 0",
      );
    }
    if (this.#rng.uniform() < this.#epsilon) {
      return available[this.#rng.below(available.length)]!;
    }
    const values = this.#q.values(observation);
    const highest = Math.max(...available.map((replica) => values[replica]!));
    const best = available.filter((replica) => values[replica] === highest);
    return best[this.#rng.below(best.length)]!;
  }
}
