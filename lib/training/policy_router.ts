/**
 * A trained policy in the place of a heuristic.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import type { RoutingDecision, SimulationObserver } from "../simulator/mod.ts";
import { StateBuilder, type StateConfig, type StateEpisode } from "../state/mod.ts";
import { UsageError } from "../support/mod.ts";
import type { EpisodeRouter } from "./episode_router.ts";
import { TemperatureController, temperatureSignals } from "./temperature_controller.ts";
import type { TrainedPolicy } from "./trained_policy.ts";

/** How a {@linkcode PolicyRouter} acts. */
export interface PolicyRouterOptions {
  /** Draws actions, or `"greedy"` (default): the most probable available replica. */
  readonly sampler?: Rng | "greedy";
}

/** What a {@linkcode PolicyRouter} saw and thought; arrays are overwritten by its next decision. */
export interface PolicyDecision {
  /** As the network got it, normalised. */
  readonly observation: Float32Array;
  /** `[A]`, of all replicas, with temperature and mask. */
  readonly logProbabilities: Float32Array;
  /** The critic's output. */
  readonly value: number;
}

/**
 * Routes as a trained policy says. Its normaliser is frozen and nothing is learnt; when actions are
 * drawn, the temperature controller of the training, if it had one, goes on. Register its
 * `observer` with the simulator and call {@linkcode PolicyRouter.begin} before the run.
 */
export class PolicyRouter implements EpisodeRouter {
  /** Name, as in result tables. */
  readonly name: string = "ppo";
  readonly #trained: TrainedPolicy;
  readonly #sampler: Rng | "greedy";
  readonly #stateBuilder: StateBuilder;
  readonly #observation: Float32Array;
  readonly #mask: Uint8Array;
  readonly #episodeStart = new Uint8Array(1);
  readonly #temperature: TemperatureController | undefined;
  #hiddenState: Float32Array;
  #lastDecision: PolicyDecision | undefined;

  /**
   * A router for one run after another.
   *
   * @param trained Not owned: the caller frees it.
   * @throws {UsageError} When its observations mean something else than this version builds.
   */
  constructor(trained: TrainedPolicy, { sampler = "greedy" }: PolicyRouterOptions = {}) {
    const { config, replicaCount, schemaHash, policy, normalizer } = trained;
    if (!normalizer.frozen) {
      throw new UsageError("Cannot route with a policy: its normaliser must be frozen");
    }
    this.#trained = trained;
    this.#sampler = sampler;
    this.#stateBuilder = new StateBuilder(config.state, replicaCount);
    if (this.#stateBuilder.schemaHash !== schemaHash) {
      throw new UsageError(
        `Cannot route with a policy: its observations must have the schema ${this.#stateBuilder.schemaHash}, current value is ${schemaHash}`,
      );
    }
    this.#observation = new Float32Array(this.#stateBuilder.size);
    this.#mask = new Uint8Array(replicaCount);
    this.#hiddenState = policy.initialHiddenStates(1);
    const { temperature } = config.training;
    // It does not move the most probable action.
    const matters = temperature.mode !== "off" && sampler !== "greedy";
    this.#temperature = matters ? new TemperatureController(temperature) : undefined;
  }

  /** Watches the run for the state features. */
  get observer(): SimulationObserver {
    return this.#stateBuilder;
  }

  /** How its observations are built. */
  get stateConfig(): StateConfig {
    return this.#trained.config.state;
  }

  /** What it saw when it routed last; undefined before the first time. */
  get lastDecision(): PolicyDecision | undefined {
    return this.#lastDecision;
  }

  /** Prepares for a run. */
  begin(episode: StateEpisode): void {
    this.#stateBuilder.reset(episode);
    this.#hiddenState = this.#trained.policy.initialHiddenStates(1);
    this.#episodeStart[0] = 1;
    this.#temperature?.reset();
  }

  /**
   * Chooses the replica of the decision's request.
   *
   * @throws {UsageError} When {@linkcode PolicyRouter.begin} was not called or the cluster has
   * another number of replicas.
   */
  route(decision: RoutingDecision): number {
    const { policy, normalizer } = this.#trained;
    this.#stateBuilder.observe(decision);
    this.#stateBuilder.build(decision, this.#observation);
    normalizer.normalize(this.#observation, this.#observation);
    for (let r = 0; r < this.#mask.length; r++) {
      this.#mask[r] = decision.view.isAvailable(r) ? 1 : 0;
    }
    const { actions, hiddenStates, logProbabilities, values } = policy.act(this.#observation, {
      sampler: this.#sampler,
      hiddenStates: this.#hiddenState,
      episodeStarts: this.#episodeStart,
      actionMasks: this.#mask,
      temperatures: Float32Array.of(this.#nextTemperature(decision)),
    });
    this.#hiddenState = hiddenStates;
    this.#lastDecision = { observation: this.#observation, logProbabilities, value: values[0]! };
    this.#episodeStart[0] = 0;
    return actions[0]!;
  }

  /** As in training, where the distribution was learnt at this temperature. */
  #nextTemperature(decision: RoutingDecision): number {
    if (this.#temperature === undefined) return 1;
    const { training, reward } = this.#trained.config;
    return this.#temperature.next(temperatureSignals(decision, this.#stateBuilder.metrics, {
      targetThroughput: training.temperature.targetThroughput,
      targetLatencySeconds: reward.latencyThresholdSeconds,
    }));
  }
}
