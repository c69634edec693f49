/**
 * Routing requests to replicas, as something to be learned.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { RewardCalculator, type RewardConfig } from "../reward/mod.ts";
import {
  type ReplicaIncident,
  type ReplicaSpec,
  type RoutingDecision,
  type SimulationObserver,
  Simulator,
} from "../simulator/mod.ts";
import type { SystemMetrics } from "../metrics/mod.ts";
import { StateBuilder, type StateConfig, type StateLayout } from "../state/mod.ts";
import { ConfigError, UsageError } from "../support/mod.ts";
import type { Workload } from "../workload/mod.ts";
import { hasten } from "./_hasten.ts";
import { CONFIGURED_TASK, type EpisodeDifficulty } from "./curriculum.ts";
import type { Environment } from "./environment.ts";
import type {
  DecisionCredit,
  EnvironmentTotals,
  SchedulingEnvironmentState,
  SchedulingStep,
} from "./scheduling_step.ts";

export type { DecisionCredit, EnvironmentTotals, SchedulingEnvironmentState, SchedulingStep };

/** What a {@linkcode SchedulingEnvironment} is made of. */
export interface SchedulingEnvironmentOptions {
  /** The cluster; action `i` is replica `i`. */
  readonly replicas: readonly ReplicaSpec[];
  /**
   * The requests of an episode, at least two. Called with 0, 1, 2, ... and a generator that depends
   * on `rng` and the episode only.
   */
  readonly createWorkload: (episodeIndex: number, rng: Rng) => Workload;
  /**
   * What happens to replicas during an episode; nothing when left out. Called after
   * `createWorkload`, with a generator of its own.
   */
  readonly createIncidents?: (
    episodeIndex: number,
    rng: Rng,
    workload: Workload,
  ) => readonly ReplicaIncident[];
  /** Source of the episodes' generators; never drawn from. */
  readonly rng: Rng;
  /** What the agent sees. */
  readonly state: StateConfig;
  /** What it is rewarded for. */
  readonly reward: RewardConfig;
  /**
   * Time constant in simulated seconds of a discount per second: steps then carry
   * `discount = exp(-elapsedSeconds / tau)`. Left out, the trainer discounts per decision.
   */
  readonly discountTauSeconds?: number;
  /**
   * How an episode ends. `"cut"`: at the arrival of the last request, which is left
   * unrouted; the step is truncated and its observation a real state, whose value stands for what
   * would follow. `"drain"`: the last request is routed too and the cluster runs empty; the step is
   * terminated, its reward covers the whole drain and its observation is all zeros. Default `"cut"`,
   * but `"drain"` in reward mode `request`, where a cut would leave accounts open for ever.
   */
  readonly episodeEnd?: "cut" | "drain";
  /** What the episode that begins now is like; the configured task when left out. */
  readonly difficulty?: () => EpisodeDifficulty;
  /** Told the end-to-end latency of every completed request and the replica that completed it. */
  readonly onLatency?: (latencySeconds: number, replica: number) => void;
}

/**
 * A simulated cluster behind the interface of a learning environment. One step assigns the request
 * that waits for a decision, runs the simulation to the next decision and returns the reward
 * computed there, so that a reward belongs to the action that caused it (the original credits it to
 * the action after; spec/scheduler.md section 11). Observations are raw: normalisation belongs to
 * the training loop, where its statistics are shared by all environments.
 *
 * Reward mode `request` gives step rewards of 0 and a discount of 0 (a contextual bandit, section A2)
 * and credits each decision when its request completes: see
 * {@linkcode SchedulingEnvironment.takeCredits}.
 *
 * Everything follows from the options and the actions, so the state of an environment is the list
 * of actions since its reset.
 *
 * @example
 * ```ts
 * import { Rng } from "@signalbox/signalbox/random";
 * import { rewardSchema } from "@signalbox/signalbox/reward";
 * import { buildCluster, clusterSchema } from "@signalbox/signalbox/simulator";
 * import { stateSchema } from "@signalbox/signalbox/state";
 * import { SchedulingEnvironment } from "@signalbox/signalbox/training";
 * import assert from "node:assert/strict";
 *
 * const environment = new SchedulingEnvironment({
 *   replicas: buildCluster(clusterSchema.parse({ replicas: [{ gpu: "a100", count: 2 }] })),
 *   createWorkload: (_episodeIndex, rng) => ({
 *     name: "three requests",
 *     count: 3,
 *     arrivalSeconds: Float64Array.of(0, 1, 1 + rng.uniform()),
 *     promptTokens: Int32Array.of(100, 200, 300),
 *     outputTokens: Int32Array.of(10, 20, 30),
 *   }),
 *   rng: new Rng(1),
 *   state: stateSchema.parse({}),
 *   reward: rewardSchema.parse({ mode: "sojourn" }),
 * });
 * const observation = new Float32Array(environment.observationSize);
 * environment.reset(observation);
 * assert.equal(environment.step(0, observation).elapsedSeconds, 1);
 * assert.equal(environment.step(1, observation).truncated, true);
 * ```
 */
export class SchedulingEnvironment implements Environment {
  /** Width of an observation. */
  readonly observationSize: number;
  /** Number of replicas. */
  readonly actionCount: number;
  readonly #options: SchedulingEnvironmentOptions;
  readonly #episodeEnd: "cut" | "drain";
  readonly #stateBuilder: StateBuilder;
  readonly #reward: RewardCalculator;
  readonly #observers: readonly SimulationObserver[];
  #simulator: Simulator | undefined;
  #workload: Workload | undefined;
  #decision: RoutingDecision | undefined;
  #actions: number[] = [];
  /** Decisions that routed each request: more than one where a replica failed. */
  #decisionsOf: number[][] = [];
  #lastStep: SchedulingStep | undefined;
  #difficulty = CONFIGURED_TASK;
  #totalsAtReset: EnvironmentTotals;
  #credits: DecisionCredit[] = [];
  #episodeCount = 0;
  #decisionCount = 0;
  #simulatedSeconds = 0;
  #completedCount = 0;
  #latencySumSeconds = 0;

  /**
   * An environment before its first episode.
   *
   * @throws {ConfigError} When episodes are to be cut in reward mode `request`.
   */
  constructor(options: SchedulingEnvironmentOptions) {
    const { replicas, state, reward, discountTauSeconds, episodeEnd } = options;
    if (reward.mode === "request" && episodeEnd === "cut") {
      throw new ConfigError("episodeEnd", episodeEnd, '"drain" in reward mode request');
    }
    this.#options = options;
    this.#episodeEnd = episodeEnd ?? (reward.mode === "request" ? "drain" : "cut");
    this.#stateBuilder = new StateBuilder(state, replicas.length);
    this.#reward = new RewardCalculator(
      reward,
      discountTauSeconds === undefined ? {} : { discountTauSeconds },
    );
    this.#observers = [
      this.#stateBuilder,
      this.#reward,
      { onCompleted: (request, replica, nowSeconds) => this.#count(request, replica, nowSeconds) },
    ];
    this.observationSize = this.#stateBuilder.size;
    this.actionCount = replicas.length;
    this.#totalsAtReset = this.totals;
  }

  /** How observations are cut into slices. */
  get layout(): StateLayout {
    return this.#stateBuilder.layout;
  }

  /** Name of each number of an observation. */
  get featureNames(): readonly string[] {
    return this.#stateBuilder.featureNames;
  }

  /** Fingerprint of the meaning of observations. */
  get schemaHash(): string {
    return this.#stateBuilder.schemaHash;
  }

  /** The decision that the next action answers; undefined when no episode is under way. */
  get decision(): RoutingDecision | undefined {
    return this.#decision;
  }

  /** System metrics that observations are built from. */
  get metrics(): SystemMetrics {
    return this.#stateBuilder.metrics;
  }

  /** What the last step told; it outlives a reset. */
  get lastStep(): SchedulingStep | undefined {
    return this.#lastStep;
  }

  /** Sums since the environment was created. */
  get totals(): EnvironmentTotals {
    return {
      episodeCount: this.#episodeCount,
      decisionCount: this.#decisionCount,
      simulatedSeconds: this.#simulatedSeconds,
      completedCount: this.#completedCount,
      latencySumSeconds: this.#latencySumSeconds,
    };
  }

  /**
   * Begins the next episode and runs it to its first decision.
   *
   * @param observation Receives `[observationSize]` numbers.
   * @throws {RangeError} When the workload has fewer than two requests, or no replica ever takes one.
   */
  reset(observation: Float32Array): void {
    this.#begin(this.#options.difficulty?.() ?? CONFIGURED_TASK, observation);
  }

  #begin(difficulty: EpisodeDifficulty, observation: Float32Array): void {
    const { createWorkload, createIncidents, replicas, rng } = this.#options;
    this.#difficulty = difficulty;
    this.#totalsAtReset = this.totals;
    const episodeIndex = this.#episodeCount++;
    const episodeRng = rng.stream(`episode ${episodeIndex}`);
    const workload = hasten(
      createWorkload(episodeIndex, episodeRng.stream("workload")),
      difficulty.rateScale,
    );
    const incidents = createIncidents?.(episodeIndex, episodeRng.stream("incidents"), workload) ??
      [];
    if (workload.count < 2) {
      throw new RangeError(
        "Cannot begin an episode: its workload must have at least 2 requests, current value is " +
          workload.count,
      );
    }
    const { arrivalSeconds } = workload;
    const simulator = new Simulator(workload, replicas, { observers: this.#observers, incidents });
    const predictionSeed = episodeRng.stream("predictions").seed;
    this.#stateBuilder.reset({ arrivalSeconds, oracle: simulator.oracle, predictionSeed });
    this.#reward.reset(arrivalSeconds, difficulty);
    this.#simulator = simulator;
    this.#workload = workload;
    this.#actions = [];
    this.#decisionsOf = Array.from({ length: workload.count }, () => []);
    const decision = simulator.advance();
    if (decision === undefined) {
      throw new RangeError(
        "Cannot begin an episode: a replica must be available at or after its first arrival, " +
          "current number is 0",
      );
    }
    // Rewards are measured from here: what came before the first decision is nobody's doing.
    this.#reward.evaluate(decision.nowSeconds, decision.view);
    this.#observe(decision, observation);
  }

  /**
   * Routes the request that waits to replica `action` and runs to the next decision.
   *
   * @param observation Receives `[observationSize]` numbers.
   * @throws {UsageError} When no episode is under way.
   * @throws {RangeError} When the replica does not exist or is not available.
   */
  step(action: number, observation: Float32Array): SchedulingStep {
    const taken = this.#decision;
    if (taken === undefined) {
      throw new UsageError("Cannot step: reset() must begin an episode first");
    }
    const simulator = this.#simulator!;
    const { reward, discountTauSeconds } = this.#options;
    simulator.assign(action);
    this.#actions.push(action);
    this.#decisionsOf[taken.request.index]!.push(this.#decisionCount);
    const next = simulator.advance();
    const { nowSeconds } = simulator.view;
    const elapsedSeconds = nowSeconds - taken.nowSeconds;
    const terminated = next === undefined;
    const breakdown = this.#reward.evaluate(nowSeconds, simulator.view, { isOver: terminated });
    for (const credit of this.#reward.credits) {
      for (const decisionIndex of this.#decisionsOf[credit.request]!) {
        this.#credits.push({ ...credit, decisionIndex });
      }
    }
    this.#decisionCount++;
    this.#simulatedSeconds += elapsedSeconds;
    const truncated = !terminated && this.#episodeEnd === "cut" &&
      next.request.index === this.#workload!.count - 1;
    if (terminated) observation.fill(0);
    else this.#observe(next, observation);
    if (terminated || truncated) this.#decision = undefined;
    const discount = reward.mode === "request"
      ? 0
      : discountTauSeconds === undefined
      ? undefined
      : Math.exp(-elapsedSeconds / discountTauSeconds);
    this.#lastStep = {
      reward: reward.mode === "request" ? 0 : breakdown.reward,
      terminated,
      truncated,
      elapsedSeconds,
      breakdown,
      ...(discount === undefined ? {} : { discount }),
    };
    return this.#lastStep;
  }

  /**
   * Writes which replicas may be chosen now.
   *
   * @param mask Receives `[actionCount]` numbers, 1 = allowed.
   */
  actionMask(mask: Uint8Array): void {
    const { view } = this.#simulator!;
    for (let r = 0; r < this.actionCount; r++) mask[r] = view.isAvailable(r) ? 1 : 0;
  }

  /**
   * Credits of decisions whose requests completed since the last call, in order of completion;
   * always empty unless the reward mode is `request`. They outlive a reset.
   */
  takeCredits(): DecisionCredit[] {
    const credits = this.#credits;
    this.#credits = [];
    return credits;
  }

  /**
   * The episode under way as plain data, for {@linkcode SchedulingEnvironment.restore}. Credits
   * are no part of it: take them first.
   *
   * @throws {UsageError} When no episode has begun.
   */
  toJSON(): SchedulingEnvironmentState {
    if (this.#episodeCount === 0) {
      throw new UsageError("Cannot save an environment: reset() must begin an episode first");
    }
    return {
      episodeIndex: this.#episodeCount - 1,
      actions: [...this.#actions],
      totalsAtReset: this.#totalsAtReset,
      difficulty: this.#difficulty,
    };
  }

  /**
   * Continues exactly where `state` was taken, by replaying its episode.
   *
   * @param observation Receives the observation that the next action answers.
   */
  restore(state: SchedulingEnvironmentState, observation: Float32Array): void {
    const { episodeIndex, actions, totalsAtReset, difficulty } = state;
    this.#episodeCount = episodeIndex;
    this.#decisionCount = totalsAtReset.decisionCount;
    this.#simulatedSeconds = totalsAtReset.simulatedSeconds;
    this.#completedCount = totalsAtReset.completedCount;
    this.#latencySumSeconds = totalsAtReset.latencySumSeconds;
    this.#begin(difficulty, observation);
    for (const action of actions) this.step(action, observation);
    this.#credits = [];
  }

  #observe(decision: RoutingDecision, observation: Float32Array): void {
    this.#stateBuilder.observe(decision);
    this.#stateBuilder.build(decision, observation);
    this.#decision = decision;
  }

  #count(request: number, replica: number, nowSeconds: number): void {
    const latencySeconds = nowSeconds - this.#workload!.arrivalSeconds[request]!;
    this.#completedCount++;
    this.#latencySumSeconds += latencySeconds;
    this.#options.onLatency?.(latencySeconds, replica);
  }
}
