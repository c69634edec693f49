/**
 * A policy as the rest of the project uses it: plain arrays in, plain arrays out when acting;
 * tensors when training.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { createActorCritic } from "./actor_critic.ts";
import { categoricalEntropy, categoricalLogProbabilities, chooseAction } from "./categorical.ts";
import { createMlp } from "./mlp.ts";
import type { Network, NetworkInput, PolicyShape } from "./network.ts";
import { type NamedWeights, ParameterSet } from "./parameters.ts";
import type { PolicyConfig } from "./policy_schema.ts";
import { createReplicaScorer } from "./replica_scorer.ts";
import { tf } from "./_tensorflow.ts";

/** What a forward pass of a batch of environments needs beside the observations. */
export interface PredictOptions {
  /** `[N, S]`, hidden states before this step; may be left out when S is 0. */
  readonly hiddenStates?: Float32Array | undefined;
  /** `[N]`, 1 where an episode starts (its hidden state is cleared first); default all 0. */
  readonly episodeStarts?: Uint8Array | undefined;
  /** `[N, A]`, 1 = allowed; default all allowed. */
  readonly actionMasks?: Uint8Array | undefined;
}

/** How actions are chosen from logits. */
export interface ActOptions extends PredictOptions {
  /** Draws one uniform a row in row order, or `"greedy"`: the most probable allowed action. */
  readonly sampler: Rng | "greedy";
  /** `[N]`, each > 0: logits are divided by it; default all 1. */
  readonly temperatures?: Float32Array | undefined;
}

/** Output of a forward pass; new arrays. */
export interface Prediction {
  /** `[N, A]`, before temperature and mask. */
  readonly logits: Float32Array;
  /** `[N]`. */
  readonly values: Float32Array;
  /** `[N, S]`, after this step. */
  readonly hiddenStates: Float32Array;
}

/** A prediction with the chosen actions. */
export interface Decision extends Prediction {
  /** `[N]`. */
  readonly actions: Int32Array;
  /** `[N]`, of the chosen actions under the tempered, masked distribution. */
  readonly logProbs: Float32Array;
  /** `[N, A]`, the whole distribution, for exact divergences. */
  readonly logProbabilities: Float32Array;
}

/** Sequences of stored decisions, time-major: entry `t * sequenceCount + b` of every array. */
export interface SequenceBatch {
  /** Steps T of each sequence; 1 for feed-forward training. */
  readonly sequenceLength: number;
  /** Sequences B. */
  readonly sequenceCount: number;
  /** `[T, B, D]`. */
  readonly observations: Float32Array;
  /** `[B, S]`, as stored when the first step was taken. */
  readonly hiddenStates: Float32Array;
  /** `[T, B]`, 1 where an episode starts. */
  readonly episodeStarts: Uint8Array;
  /** `[T, B]`. */
  readonly actions: Int32Array;
  /** `[T, B]`, the ones used for acting. */
  readonly temperatures: Float32Array;
  /** `[T, B, A]`; absent when every action was allowed. */
  readonly actionMasks?: Uint8Array | undefined;
}

/** What training needs of stored decisions under the present parameters; tensors of the caller. */
export interface Evaluation {
  /** `[T * B]`, of the stored actions. */
  readonly logProbs: tf.Tensor1D;
  /** `[T * B]`, in nats. */
  readonly entropies: tf.Tensor1D;
  /** `[T * B]`. */
  readonly values: tf.Tensor1D;
  /** `[T * B, A]`, before temperature and mask. */
  readonly logits: tf.Tensor2D;
  /** `[T * B, A]`, tempered and masked. */
  readonly logProbabilities: tf.Tensor2D;
}

/**
 * A network with its parameters.
 *
 * @example
 * ```ts
 * import { createPolicy, policySchema } from "@signalbox/signalbox/policy";
 * import { Rng } from "@signalbox/signalbox/random";
 * import assert from "node:assert/strict";
 *
 * const config = policySchema.parse({ kind: "mlp" });
 * const policy = createPolicy(config, { observationSize: 3, actionCount: 2 }, new Rng(1));
 * const { actions, values } = policy.act(new Float32Array([1, 0, 0, 0, 1, 0]), { sampler: new Rng(2) });
 * assert.equal(actions.length, 2);
 * assert.equal(values.length, 2);
 * policy.dispose();
 * ```
 */
export class Policy {
  /** What the policy was made from. */
  readonly config: PolicyConfig;
  /** Width D of an observation. */
  readonly observationSize: number;
  /** Number A of actions. */
  readonly actionCount: number;
  /** The trainable numbers. */
  readonly parameters: ParameterSet;
  readonly #network: Network;

  /** Use {@linkcode createPolicy}. */
  constructor(config: PolicyConfig, shape: PolicyShape, rng: Rng) {
    this.config = config;
    this.observationSize = shape.observationSize;
    this.actionCount = shape.actionCount;
    this.parameters = new ParameterSet();
    this.#network = createNetwork(config, shape, { parameters: this.parameters, rng });
  }

  /** Floats S of hidden state per environment; 0 = feed-forward. */
  get hiddenStateSize(): number {
    return this.#network.hiddenStateSize;
  }

  /** Hidden states of `count` environments before their first step: zeros, `[count, S]`. */
  initialHiddenStates(count: number): Float32Array {
    return new Float32Array(count * this.hiddenStateSize);
  }

  /**
   * One step of N environments, without choosing.
   *
   * @param observations `[N, D]`.
   * @throws {RangeError} When a length does not fit.
   */
  predict(observations: Float32Array, options: PredictOptions = {}): Prediction {
    const rows = observations.length / this.observationSize;
    const { hiddenStates, episodeStarts, actionMasks } = options;
    this.#checkLength(
      "observations",
      observations,
      Math.max(1, Math.floor(rows)),
      this.observationSize,
    );
    this.#checkLength(
      "hiddenStates",
      hiddenStates ?? new Float32Array(0),
      rows,
      this.hiddenStateSize,
    );
    if (episodeStarts !== undefined) this.#checkLength("episodeStarts", episodeStarts, rows, 1);
    if (actionMasks !== undefined) {
      this.#checkLength("actionMasks", actionMasks, rows, this.actionCount);
    }
    return tf.tidy(() => {
      const output = this.#network.forward(this.#networkInput({
        sequenceLength: 1,
        sequenceCount: rows,
        observations,
        hiddenStates: hiddenStates ?? new Float32Array(0),
        episodeStarts: episodeStarts ?? new Uint8Array(rows),
        actionMasks,
      }));
      return {
        logits: Float32Array.from(output.logits.dataSync()),
        values: Float32Array.from(output.values.dataSync()),
        hiddenStates: Float32Array.from(output.hiddenStates.dataSync()),
      };
    });
  }

  /**
   * Chooses one action for each of N environments.
   *
   * @param observations `[N, D]`.
   * @throws {RangeError} When a length does not fit, a temperature is not > 0, a row allows no
   * action or a logit is not finite.
   */
  act(observations: Float32Array, options: ActOptions): Decision {
    const { sampler, temperatures, actionMasks } = options;
    const prediction = this.predict(observations, options);
    const rows = prediction.values.length;
    if (temperatures !== undefined) {
      this.#checkLength("temperatures", temperatures, rows, 1);
      checkTemperatures(temperatures);
    }
    const { actionCount } = this;
    const actions = new Int32Array(rows);
    const logProbs = new Float32Array(rows);
    const logProbabilities = new Float32Array(rows * actionCount);
    for (let row = 0; row < rows; row++) {
      const offset = row * actionCount;
      const temperature = temperatures === undefined ? 1 : temperatures[row]!;
      const action = chooseAction(prediction.logits, logProbabilities, {
        actionCount,
        offset,
        temperature,
        actionMask: actionMasks,
        sampler,
      });
      actions[row] = action;
      logProbs[row] = logProbabilities[offset + action]!;
    }
    return { ...prediction, actions, logProbs, logProbabilities };
  }

  /**
   * Differentiable evaluation of stored decisions under the present parameters. Hidden states are
   * rebuilt from the stored initial ones, reset inside the sequences. Call inside `tf.tidy` or a
   * gradient function.
   */
  evaluateActions(batch: SequenceBatch): Evaluation {
    const rows = batch.sequenceLength * batch.sequenceCount;
    const input = this.#networkInput(batch);
    const { logits, values } = this.#network.forward(input);
    const logProbabilities = categoricalLogProbabilities(
      logits,
      tf.tensor2d(batch.temperatures, [rows, 1]),
      input.actionMask,
    );
    // A product with one-hot rows, not a gather: the gather's gradient is missing on some backends.
    const chosen = tf.tensor2d(oneHot(batch.actions, this.actionCount), [rows, this.actionCount]);
    return {
      logProbs: tf.sum(tf.mul(logProbabilities, chosen), 1),
      entropies: categoricalEntropy(logProbabilities),
      values,
      logits,
      logProbabilities,
    };
  }

  /** Copies of all parameters, for checkpoints. */
  getWeights(): NamedWeights {
    return this.parameters.getWeights();
  }

  /**
   * Overwrites all parameters.
   *
   * @throws {RangeError} When names or shapes differ; nothing is written then.
   */
  setWeights(weights: NamedWeights): void {
    this.parameters.setWeights(weights);
  }

  /** Frees the parameters. */
  dispose(): void {
    this.parameters.dispose();
  }

  /** Tensors of a batch; `tf.tidy` of the caller frees them. */
  #networkInput(
    batch: Omit<SequenceBatch, "actions" | "temperatures">,
  ): NetworkInput {
    const { sequenceLength, sequenceCount, observations, episodeStarts, actionMasks } = batch;
    const rows = sequenceLength * sequenceCount;
    const input = {
      observations: tf.tensor2d(observations, [rows, this.observationSize]),
      hiddenStates: tf.tensor2d(batch.hiddenStates, [sequenceCount, this.hiddenStateSize]),
      keep: tf.tensor2d(
        Float32Array.from(episodeStarts, (start) => 1 - start),
        [sequenceLength, sequenceCount],
      ),
    };
    if (actionMasks === undefined) return input;
    return {
      ...input,
      actionMask: tf.tensor2d(Float32Array.from(actionMasks), [rows, this.actionCount]),
    };
  }

  /** Refuses an array whose length is not `rows * width`. */
  #checkLength(name: string, array: ArrayLike<number>, rows: number, width: number): void {
    if (array.length !== rows * width) {
      throw new RangeError(
        `Cannot run the policy: ${name} must have ${rows} x ${width} entries, current value is ${array.length}`,
      );
    }
  }
}

/**
 * Creates a policy with freshly drawn weights.
 *
 * @param config Which network (see {@linkcode policySchema}).
 * @param shape Observation and action sizes.
 * @param rng Draws the weights: same generator state, same weights.
 * @throws {RangeError} When the shape does not fit the kind of network.
 */
export function createPolicy(config: PolicyConfig, shape: PolicyShape, rng: Rng): Policy {
  return new Policy(config, shape, rng);
}

/** The network of a configuration. */
function createNetwork(
  config: PolicyConfig,
  shape: PolicyShape,
  context: { readonly parameters: ParameterSet; readonly rng: Rng },
): Network {
  for (const name of ["observationSize", "actionCount"] as const) {
    if (!Number.isInteger(shape[name]) || shape[name] < 1) {
      throw new RangeError(
        `Cannot create a policy: ${name} must be an integer >= 1, current value is ${shape[name]}`,
      );
    }
  }
  switch (config.kind) {
    case "actor_critic":
      return createActorCritic(config, shape, context);
    case "mlp":
      return createMlp(config, shape, context);
    case "replica_scorer":
      return createReplicaScorer(config, shape, context);
  }
}

/** Refuses temperatures that are not finite and > 0. */
function checkTemperatures(temperatures: Float32Array): void {
  const bad = temperatures.find((temperature) => !(temperature > 0 && temperature < Infinity));
  if (bad !== undefined) {
    throw new RangeError(
      `Cannot act: temperatures must be finite and > 0, current value is ${bad}`,
    );
  }
}

/** Row-major one-hot rows. */
function oneHot(actions: Int32Array, actionCount: number): Float32Array {
  const rows = new Float32Array(actions.length * actionCount);
  actions.forEach((action, i) => rows[i * actionCount + action] = 1);
  return rows;
}
