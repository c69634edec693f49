/**
 * What a single decision of a training run was.
 *
 * @module
 */
import type { RolloutStep } from "../ppo/mod.ts";
import type { RewardLoggedEnvironment } from "./reward_log.ts";
import type { RolloutWatcher } from "./rollout.ts";
import type { DecisionCredit, SchedulingStep } from "./scheduling_step.ts";
import type { TemperatureController, TemperatureState } from "./temperature_controller.ts";

/** One routed request; arrays of its own. */
export interface DecisionRecord {
  /** Update whose rollout it is in, from 1. */
  readonly update: number;
  /** Simulation. */
  readonly environmentIndex: number;
  /** Episode of the simulation, from 0. */
  readonly episodeIndex: number;
  /** Decision of the simulation's whole life, from 0. */
  readonly decisionIndex: number;
  /** Simulated time in the episode. */
  readonly nowSeconds: number;
  /** Row of the request in the episode's workload. */
  readonly requestIndex: number;
  /** Its prompt. */
  readonly promptTokens: number;
  /** Replica chosen. */
  readonly action: number;
  /** Its log-probability. */
  readonly logProb: number;
  /** `[A]`, of all replicas, with temperature and mask. */
  readonly logProbabilities: Float32Array;
  /** The critic's value of the state, in units of returns. */
  readonly value: number;
  /** Temperature that logits were divided by. */
  readonly temperature: number;
  /** What the temperature controller remembers; null without one. */
  readonly temperatureState: TemperatureState | null;
  /** `[A]`, 1 = allowed. */
  readonly actionMask: Uint8Array;
  /** `[A]`, requests waiting at each replica. */
  readonly waitingCounts: Int32Array;
  /** `[A]`, requests running at each replica. */
  readonly runningCounts: Int32Array;
  /** `[A]`, share of each replica's KV blocks in use. */
  readonly kvShares: Float64Array;
  /** What came of it up to the next decision of the simulation. */
  readonly step: SchedulingStep;
  /** Reward mode `request`: earlier decisions whose requests completed meanwhile. */
  readonly credits: readonly DecisionCredit[];
}

/** What is known of a decision when it is taken. */
type Taken = Omit<DecisionRecord, "step" | "credits">;

/** Where a {@linkcode DecisionRecorder} looks. */
export interface DecisionSource {
  /** The simulations, `[N]`. */
  readonly members: readonly RewardLoggedEnvironment[];
  /** Temperature controllers, `[N]` or none. */
  readonly temperatures: readonly TemperatureController[];
  /** Update whose rollout is being gathered. */
  readonly update: () => number;
  /** Told of every decision once its step is over, environment by environment. */
  readonly onDecision: (record: DecisionRecord) => void;
}

/** Watches the rollouts of a training run and tells of every single decision. */
export class DecisionRecorder implements RolloutWatcher {
  readonly #source: DecisionSource;
  #taken: Taken[] = [];
  readonly #credits: (readonly DecisionCredit[])[];

  /** A recorder that has seen nothing. */
  constructor(source: DecisionSource) {
    this.#source = source;
    this.#credits = source.members.map(() => []);
  }

  /** Takes down what was decided and what the clusters were like. */
  onDecided(step: RolloutStep): void {
    this.#taken = this.#source.members.map((member, n) => this.#take(member, n, step));
  }

  /** Takes down the credits of a simulation; to be called before `onStepped`. */
  onCredits(environmentIndex: number, credits: readonly DecisionCredit[]): void {
    this.#credits[environmentIndex] = credits;
  }

  /** Tells of the decisions. */
  onStepped(): void {
    const { members, onDecision } = this.#source;
    this.#taken.forEach((taken, n) => {
      onDecision({ ...taken, step: members[n]!.inner.lastStep!, credits: this.#credits[n]! });
      this.#credits[n] = [];
    });
  }

  #take({ inner }: RewardLoggedEnvironment, n: number, step: RolloutStep): Taken {
    const { decision: { actions, logProbs, logProbabilities, values } } = step;
    const { nowSeconds, request, view } = inner.decision!;
    const { episodeCount, decisionCount } = inner.totals;
    const { replicaCount } = view;
    // Rows are as wide as the largest cluster.
    const from = n * step.actionMasks.length / this.#source.members.length;
    const ofReplicas = { from, to: from + replicaCount };
    return {
      update: this.#source.update(),
      environmentIndex: n,
      episodeIndex: episodeCount - 1,
      decisionIndex: decisionCount,
      nowSeconds,
      requestIndex: request.index,
      promptTokens: request.promptTokens,
      action: actions[n]!,
      logProb: logProbs[n]!,
      logProbabilities: logProbabilities.slice(ofReplicas.from, ofReplicas.to),
      value: values[n]!,
      temperature: step.temperatures[n]!,
      temperatureState: this.#source.temperatures[n]?.toJSON() ?? null,
      actionMask: step.actionMasks.slice(ofReplicas.from, ofReplicas.to),
      waitingCounts: Int32Array.from({ length: replicaCount }, (_, r) => view.waitingCount(r)),
      runningCounts: Int32Array.from({ length: replicaCount }, (_, r) => view.runningCount(r)),
      kvShares: Float64Array.from(
        { length: replicaCount },
        (_, r) => view.kvBlocksUsed(r) / Math.max(view.kvBlocksTotal(r), 1),
      ),
    };
  }
}
