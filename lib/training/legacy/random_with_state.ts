/**
 * The original's `random_with_state`.
 *
 * @module
 */
import type { Rng } from "../../random/mod.ts";
import { createRandom, type Router } from "../../routing/mod.ts";
import type { RoutingDecision, SimulationObserver } from "../../simulator/mod.ts";
import { StateBuilder, type StateEpisode } from "../../state/mod.ts";
import type { EpisodeRouter } from "../episode_router.ts";
import { LEGACY_STATE } from "./_legacy_observation.ts";

/**
 * Draws an available replica uniformly and builds the legacy observation of every decision, to look
 * at what a learner would see: random routing with the cost of observing.
 *
 * Source: spec/scheduler.md section 2.
 */
export class RandomWithStateRouter implements EpisodeRouter {
  /** Name, as in result tables. */
  readonly name: string = "random_with_state";
  readonly #random: Router;
  readonly #stateBuilder: StateBuilder;
  readonly #observation: Float32Array;

  /** A router of a cluster of so many replicas. */
  constructor({ replicaCount, rng }: { readonly replicaCount: number; readonly rng: Rng }) {
    this.#random = createRandom(rng);
    this.#stateBuilder = new StateBuilder(LEGACY_STATE, replicaCount);
    this.#observation = new Float32Array(this.#stateBuilder.size);
  }

  /** Watches the run for the observations. */
  get observer(): SimulationObserver {
    return this.#stateBuilder;
  }

  /** Prepares for a run. */
  begin(episode: StateEpisode): void {
    this.#stateBuilder.reset(episode);
  }

  /** Draws a replica. */
  route(decision: RoutingDecision): number {
    this.#stateBuilder.observe(decision);
    this.#stateBuilder.build(decision, this.#observation);
    return this.#random.route(decision);
  }

  /** The observation of the last decision, number by number with its name. */
  describeState(): [name: string, value: number][] {
    return this.#stateBuilder.featureNames.map((name, i) => [name, this.#observation[i]!]);
  }
}
