/**
 * From the cluster to the numbers that a policy sees.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { SystemMetrics } from "../metrics/mod.ts";
import type { OracleView, RoutingDecision, SimulationObserver } from "../simulator/mod.ts";
import { UsageError } from "../support/mod.ts";
import type { Features } from "./_features.ts";
import { SignalboxFeatures } from "./_signalbox_features.ts";
import { VidurrlFeatures } from "./_vidurrl_features.ts";
import { createDecodeLengths, HIDDEN } from "./decode_lengths.ts";
import type { StateLayout } from "./state_layout.ts";
import type { StateConfig } from "./state_schema.ts";

/** What a {@linkcode StateBuilder} must know of the run it watches. */
export interface StateEpisode {
  /** Arrival time of every request of the workload in seconds; kept, not copied. */
  readonly arrivalSeconds: ArrayLike<number>;
  /** The simulator's truth about output lengths; needed unless `decodeLengths` is `hidden`. */
  readonly oracle?: OracleView;
  /** Seed of the prediction errors, for `decodeLengths: "predicted"`; 0 by default. */
  readonly predictionSeed?: number;
}

/**
 * Builds observations in the configured layout. It watches the run (register it as an observer of
 * the simulator) and keeps histories over decisions:
 *
 * 1. `reset(episode)` before the run;
 * 2. at each decision, `observe(decision)` once, then `build(decision, out)` as often as wanted.
 *
 * Values are raw; scaling is the {@linkcode RunningNormalizer}'s part.
 * Sources: layouts, spec/scheduler.md sections 5 and A3; observe apart from build, section 5.5
 * (the original corrupts its windows when the state is built twice).
 *
 * @example The document's dimension formula: N (11 + 8 + 7 K) + 3 + 7
 * ```ts
 * import { StateBuilder, stateSchema } from "@signalbox/signalbox/state";
 * import assert from "node:assert/strict";
 *
 * const builder = new StateBuilder(stateSchema.parse({}), 4);
 * assert.equal(builder.size, 4 * (11 + 8 + 7 * 4) + 3 + 7);
 * assert.equal(builder.featureNames[0], "replica_0_queue_length");
 * ```
 */
export class StateBuilder implements SimulationObserver {
  /** How observations are cut into slices. */
  readonly layout: StateLayout;
  /** Name of each number of an observation, in order. */
  readonly featureNames: readonly string[];
  /**
   * Fingerprint of what the numbers mean: names and every setting that changes them, but not the
   * number of replicas, so that weights shared over replicas may move between clusters.
   */
  readonly schemaHash: string;
  readonly #config: StateConfig;
  readonly #features: Features;
  readonly #metrics: SystemMetrics;
  #observed: RoutingDecision | undefined;
  #begun = false;

  /**
   * A builder without an episode; {@linkcode StateBuilder.reset} begins one.
   *
   * @param replicaCount Replicas of the cluster, >= 1.
   * @throws {RangeError} When it is not a positive integer.
   */
  constructor(config: StateConfig, replicaCount: number) {
    if (!Number.isInteger(replicaCount) || replicaCount < 1) {
      throw new RangeError(
        "Cannot create a state builder: replicaCount must be an integer >= 1, current value is " +
          replicaCount,
      );
    }
    this.#config = config;
    this.#features = config.layout === "vidurrl"
      ? new VidurrlFeatures(config, replicaCount)
      : new SignalboxFeatures(config, replicaCount);
    this.#metrics = new SystemMetrics(config.metrics);
    const { replicaNames, globalNames, loadFeatures, criticReplicaSize, criticGlobalSize } =
      this.#features;
    this.layout = Object.freeze({
      replicaCount,
      perReplicaSize: replicaNames.length,
      globalSize: globalNames.length,
      size: replicaCount * replicaNames.length + globalNames.length,
      loadFeatures,
      criticReplicaSize,
      criticGlobalSize,
    });
    const names: string[] = [];
    for (let r = 0; r < replicaCount; r++) {
      for (const name of replicaNames) names.push(`replica_${r}_${name}`);
    }
    this.featureNames = [...names, ...globalNames];
    this.schemaHash = createHash("sha256")
      .update(JSON.stringify([replicaNames, globalNames, meaningOf(config)]))
      .digest("hex").slice(0, 16);
  }

  /** Numbers in an observation. */
  get size(): number {
    return this.layout.size;
  }

  /** System metrics that the observations are built from (scope: the configuration's). */
  get metrics(): SystemMetrics {
    return this.#metrics;
  }

  /**
   * Forgets everything and begins an episode.
   *
   * @throws {TypeError} When output lengths are to be seen and the oracle is missing.
   */
  reset(episode: StateEpisode): void {
    const { arrivalSeconds, oracle, predictionSeed = 0 } = episode;
    const decodeLengths = createDecodeLengths(this.#config, oracle, predictionSeed);
    this.#metrics.reset(arrivalSeconds);
    this.#features.reset({
      metrics: this.#metrics,
      decodeLengths,
      criticDecodeLengths: oracle ?? HIDDEN,
      arrivalSeconds,
    });
    this.#observed = undefined;
    this.#begun = true;
  }

  /** Takes in that a request was handed to a replica. */
  onRouted(request: number, replica: number, nowSeconds: number): void {
    this.#features.onRouted?.(request, replica, nowSeconds);
  }

  /** Takes in that a request lost its replica and will be routed again. */
  onRequeued(request: number, replica: number, nowSeconds: number): void {
    this.#features.onRequeued?.(request, replica, nowSeconds);
  }

  /** Takes in a request's first token. */
  onFirstToken(request: number, replica: number, nowSeconds: number): void {
    this.#metrics.onFirstToken(request, replica, nowSeconds);
    this.#features.onFirstToken?.(request, replica, nowSeconds);
  }

  /** Takes in a request's completion. */
  onCompleted(request: number, replica: number, nowSeconds: number): void {
    this.#metrics.onCompleted(request, replica, nowSeconds);
    this.#features.onCompleted?.(request, replica, nowSeconds);
  }

  /**
   * Takes a decision into the histories; to be called exactly once for each.
   *
   * @throws {UsageError} When the episode has not begun, the decision was already observed, or the
   * cluster has another number of replicas.
   */
  observe(decision: RoutingDecision): void {
    if (!this.#begun) {
      throw new UsageError("Cannot observe a decision: reset() must begin an episode first");
    }
    if (decision.view.replicaCount !== this.layout.replicaCount) {
      throw new UsageError(
        `Cannot observe a decision: the cluster must have ${this.layout.replicaCount} replicas, ` +
          `current value is ${decision.view.replicaCount}`,
      );
    }
    if (decision === this.#observed) {
      throw new UsageError(
        `Cannot observe a decision: request ${decision.request.index} was already observed`,
      );
    }
    this.#features.observe(decision);
    this.#observed = decision;
  }

  /**
   * Writes the observation of the decision observed last.
   *
   * @param out Receives `[size]` numbers.
   * @returns `out`.
   * @throws {RangeError} When `out` has another length.
   * @throws {UsageError} When the decision is not the one observed last.
   */
  build(decision: RoutingDecision, out: Float32Array): Float32Array {
    if (out.length !== this.size) {
      throw new RangeError(
        `Cannot build an observation: out must have length ${this.size}, current value is ${out.length}`,
      );
    }
    if (decision !== this.#observed) {
      throw new UsageError(
        `Cannot build an observation: request ${decision.request.index} must be observed first`,
      );
    }
    this.#features.write(decision, out);
    return out;
  }
}

/** The settings that change what a column means although its name stays. */
function meaningOf(config: StateConfig): readonly unknown[] {
  const { layout, decodeLengths, metrics, historyWindow, qpsWindow, replicaEmaSeconds } = config;
  const noise = decodeLengths === "predicted" ? config.predictionNoise : 0;
  const span = metrics.scope === "lifetime" ? "lifetime" : metrics.windowSeconds;
  const own = layout === "vidurrl" ? [historyWindow, qpsWindow] : [replicaEmaSeconds];
  const waits = layout === "vidurrl" && config.queueDelayFeatures
    ? [config.queueDelayMaxWaitSeconds]
    : [];
  const load = config.loadCounts === "waiting" ? ["load: waiting"] : [];
  return [layout, decodeLengths, noise, span, ...own, ...waits, ...load];
}
