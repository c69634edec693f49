/**
 * Several environments side by side.
 *
 * @module
 */
import type { RunningNormalizer } from "../state/mod.ts";
import { commonShape, ObservationRows, rowOf } from "./_observation_rows.ts";
import type { Environment, ReplicaObservation } from "./environment.ts";

/** One step of all environments; arrays are reused by the next step. */
export interface VectorStep {
  /** `[N]`. */
  readonly rewards: Float64Array;
  /** `[N]`, 1 = ended for good. */
  readonly terminated: Uint8Array;
  /** `[N]`, 1 = cut off. */
  readonly truncated: Uint8Array;
  /** `[N]`, discount given by the environment, NaN where it left that to the trainer. */
  readonly discounts: Float64Array;
  /** `[N, D]`, last state of the episodes that this step ended; other rows mean nothing. */
  readonly finalObservations: Float32Array;
}

/** An episode that ended. */
export interface EpisodeRecord {
  /** Which environment. */
  readonly environmentIndex: number;
  /** Undiscounted sum of rewards. */
  readonly totalReward: number;
  /** Steps. */
  readonly length: number;
}

/** Sums over the episodes under way, as plain data. */
export interface VectorEnvironmentState {
  /** `[N]`, rewards so far. */
  readonly totalRewards: readonly number[];
  /** `[N]`, steps so far. */
  readonly lengths: readonly number[];
  /** `[N]`, 1 where the next action is the first of an episode. */
  readonly episodeStarts: readonly number[];
}

/**
 * N environments, stepped in order. An environment whose episode ends is reset at once:
 * `observations` then holds the new episode's first state, `episodeStarts` says so, and the step
 * hands out the old one's last state. Nothing else resets them, so episodes go on across rollouts.
 *
 * With a normaliser, every observation is normalised; unless the normaliser is frozen it first takes
 * in the observations to be acted on, all N rows of a step at once (final ones do not count).
 *
 * Clusters of different sizes may be side by side: smaller ones are padded to the size of the
 * largest, with zeros after normalisation, and the mask forbids the replicas that they do not have.
 * A policy that shares its weights over replicas then sees of each row what is there, nothing else.
 *
 * @example
 * ```ts
 * import { type Environment, VectorEnvironment } from "@signalbox/signalbox/training";
 * import assert from "node:assert/strict";
 *
 * function countdown(length: number): Environment {
 *   let left = length;
 *   return {
 *     observationSize: 1,
 *     actionCount: 2,
 *     reset(observation): void {
 *       left = length;
 *       observation[0] = left;
 *     },
 *     step(action, observation) {
 *       observation[0] = --left;
 *       return { reward: action, terminated: left === 0, truncated: false };
 *     },
 *   };
 * }
 * const environments = new VectorEnvironment([countdown(1), countdown(2)]);
 * environments.reset();
 * environments.step([1, 0]);
 * assert.deepEqual([...environments.observations], [1, 1]);
 * assert.deepEqual([...environments.episodeStarts], [1, 0]);
 * ```
 */
export class VectorEnvironment<Member extends Environment = Environment> {
  /** The environments. */
  readonly environments: readonly Member[];
  /** Width D of an observation, that of the largest cluster. */
  readonly observationSize: number;
  /** Number A of actions, that of the largest cluster. */
  readonly actionCount: number;
  /** Given where clusters differ in size: the layout that all observations are padded to. */
  readonly layout: ReplicaObservation | undefined;
  /** `[N, D]`, what the next actions answer. */
  readonly observations: Float32Array;
  /** `[N]`, 1 where the next action is the first of an episode. */
  readonly episodeStarts: Uint8Array;
  /** `[N, A]`, 1 = allowed for the next action. */
  readonly actionMasks: Uint8Array;
  readonly #rows: ObservationRows;
  readonly #step: VectorStep;
  readonly #totalRewards: Float64Array;
  readonly #lengths: Int32Array;
  readonly #finalRows: readonly Float32Array[];
  readonly #maskRows: readonly Uint8Array[];
  #episodes: EpisodeRecord[] = [];
  #isReset = false;

  /**
   * Environments before their first episode.
   *
   * @param options.normalizer Standardises observations; default: handed on as they are.
   * @throws {RangeError} When there is no environment or shapes differ.
   */
  constructor(
    environments: readonly Member[],
    { normalizer }: { readonly normalizer?: RunningNormalizer | undefined } = {},
  ) {
    if (environments.length === 0) {
      throw new RangeError(
        "Cannot create a vector environment: environments must have at least one, current value is []",
      );
    }
    const shape = commonShape(environments);
    const { observationSize, actionCount } = shape;
    const count = environments.length;
    this.environments = [...environments];
    this.observationSize = observationSize;
    this.actionCount = actionCount;
    this.layout = shape.layout;
    this.#rows = new ObservationRows(environments, shape, normalizer);
    this.observations = this.#rows.observations;
    this.episodeStarts = new Uint8Array(count);
    this.actionMasks = new Uint8Array(count * actionCount);
    this.#step = {
      rewards: new Float64Array(count),
      terminated: new Uint8Array(count),
      truncated: new Uint8Array(count),
      discounts: new Float64Array(count),
      finalObservations: new Float32Array(count * observationSize),
    };
    this.#totalRewards = new Float64Array(count);
    this.#lengths = new Int32Array(count);
    this.#finalRows = environments.map((_, n) =>
      rowOf(this.#step.finalObservations, n, observationSize)
    );
    // What a smaller cluster does not have stays forbidden.
    this.#maskRows = environments.map((each, n) =>
      rowOf(this.actionMasks, n, actionCount).subarray(0, each.actionCount).fill(1)
    );
  }

  /** Number N of environments. */
  get count(): number {
    return this.environments.length;
  }

  /** Whether {@linkcode VectorEnvironment.reset} has been called. */
  get isReset(): boolean {
    return this.#isReset;
  }

  /** Starts a new episode everywhere and forgets unfinished ones. */
  reset(): void {
    this.environments.forEach((_, n) => this.#startEpisode(n));
    this.#showObservations();
    this.#episodes = [];
    this.#isReset = true;
  }

  /**
   * Steps every environment once.
   *
   * @param actions `[N]`.
   * @returns Arrays that the next call overwrites.
   * @throws {RangeError} When an action is missing or not below A, or a reward is not finite.
   */
  step(actions: ArrayLike<number>): VectorStep {
    const { rewards, terminated, truncated, discounts } = this.#step;
    this.environments.forEach((environment, n) => {
      const result = environment.step(this.#checkAction(n, actions[n]), this.#rows.raw[n]!);
      if (!Number.isFinite(result.reward)) {
        throw new RangeError(
          `Cannot step environment ${n}: reward must be finite, current value is ${result.reward}`,
        );
      }
      rewards[n] = result.reward;
      terminated[n] = result.terminated ? 1 : 0;
      truncated[n] = result.truncated && !result.terminated ? 1 : 0;
      discounts[n] = result.discount ?? Number.NaN;
      this.#totalRewards[n]! += result.reward;
      this.#lengths[n]!++;
      if (result.terminated || result.truncated) {
        this.#rows.write(n, this.#finalRows[n]!);
        this.#episodes.push({
          environmentIndex: n,
          totalReward: this.#totalRewards[n]!,
          length: this.#lengths[n]!,
        });
        this.#startEpisode(n);
      } else {
        this.episodeStarts[n] = 0;
        environment.actionMask?.(this.#maskRows[n]!);
      }
    });
    this.#showObservations();
    return this.#step;
  }

  /** Episodes that ended since the last call, in the order of their ends. */
  takeEpisodes(): EpisodeRecord[] {
    const episodes = this.#episodes;
    this.#episodes = [];
    return episodes;
  }

  /**
   * Sums over the episodes under way; take the ended ones first
   * ({@linkcode VectorEnvironment.takeEpisodes}). The environments are saved by themselves.
   */
  toJSON(): VectorEnvironmentState {
    return {
      totalRewards: [...this.#totalRewards],
      lengths: [...this.#lengths],
      episodeStarts: [...this.episodeStarts],
    };
  }

  /**
   * Continues exactly where `state` was taken. Observations are normalised with the statistics as
   * they are: restore the normaliser first.
   *
   * @param restoreMember Brings an environment to where it was and writes the observation that its
   *   next action answers.
   * @throws {RangeError} When the state is of another number of environments.
   */
  restore(
    state: VectorEnvironmentState,
    restoreMember: (member: Member, index: number, observation: Float32Array) => void,
  ): void {
    if (state.lengths.length !== this.count) {
      throw new RangeError(
        `Cannot restore environments: lengths must have ${this.count} entries, current value is ${state.lengths.length}`,
      );
    }
    this.environments.forEach((environment, n) => {
      restoreMember(environment, n, this.#rows.raw[n]!);
      environment.actionMask?.(this.#maskRows[n]!);
    });
    this.#rows.normalize();
    this.#totalRewards.set(state.totalRewards);
    this.#lengths.set(state.lengths);
    this.episodeStarts.set(state.episodeStarts);
    this.#episodes = [];
    this.#isReset = true;
  }

  /** Brings `observations` up to date with the environments. */
  #showObservations(): void {
    this.#rows.learn();
    this.#rows.normalize();
  }

  /** Resets one environment. */
  #startEpisode(n: number): void {
    const environment = this.environments[n]!;
    environment.reset(this.#rows.raw[n]!);
    environment.actionMask?.(this.#maskRows[n]!);
    this.episodeStarts[n] = 1;
    this.#totalRewards[n] = 0;
    this.#lengths[n] = 0;
  }

  /** An action that is one of environment `n`'s. */
  #checkAction(n: number, action: number | undefined): number {
    const { actionCount } = this.environments[n]!;
    if (
      action === undefined || !Number.isInteger(action) || action < 0 || action >= actionCount
    ) {
      throw new RangeError(
        `Cannot step: actions must be integers in [0, ${actionCount}), current value is ${action}`,
      );
    }
    return action;
  }
}
