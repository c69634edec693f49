/**
 * A policy as the rest of the project uses it: plain arrays in, plain arrays out when acting;
 * tensors when training.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { createActorCritic } from "./actor_critic.ts";
import { ArrayFunction, type NamedTensors, type ShapedArray } from "./array_function.ts";
import { categoricalEntropy, categoricalLogProbabilities, chooseAction } from "./categorical.ts";
import type {
  ActOptions,
  Decision,
  Evaluation,
  Prediction,
  PredictOptions,
  SequenceBatch,
} from "./decision.ts";
import { createMlp } from "./mlp.ts";
import type { Network, NetworkInput, PolicyShape } from "./network.ts";
import { type NamedWeights, ParameterSet } from "./parameters.ts";
import { fixedSizeReason, type PolicyConfig } from "./policy_schema.ts";
import { createReplicaScorer } from "./replica_scorer.ts";
import { tf } from "./_tensorflow.ts";

/** What the policies of one network for clusters of different sizes share. */
export interface PolicyCore {
  /** The trainable numbers. */
  readonly parameters: ParameterSet;
  /** The formulas. */
  readonly network: Network;
  /** The network as a function of arrays. */
  readonly forward: ArrayFunction;
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
  readonly #shape: PolicyShape;
  readonly #core: PolicyCore;

  /** Use {@linkcode createPolicy}. */
  constructor(config: PolicyConfig, shape: PolicyShape, core: PolicyCore) {
    this.config = config;
    this.observationSize = shape.observationSize;
    this.actionCount = shape.actionCount;
    this.parameters = core.parameters;
    this.#shape = shape;
    this.#core = core;
  }

  /** Floats S of hidden state per environment; 0 = feed-forward. */
  get hiddenStateSize(): number {
    return this.#core.network.hiddenStateSize;
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
    const { logits, values, hiddenStates: next } = this.#core.forward.run(
      this.#encodeSteps({
        sequenceLength: 1,
        sequenceCount: rows,
        observations,
        hiddenStates: hiddenStates ?? new Float32Array(0),
        episodeStarts: episodeStarts ?? new Uint8Array(rows),
        actionMasks,
      }),
    );
    return {
      logits: logits!.slice(),
      values: values!.slice(),
      hiddenStates: next?.slice() ?? new Float32Array(0),
    };
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
   * A batch as the arrays that {@linkcode Policy.evaluateActions} wants as tensors. The arrays may be
   * those of the batch.
   */
  encodeBatch(batch: SequenceBatch): Record<string, ShapedArray> {
    const rows = batch.sequenceLength * batch.sequenceCount;
    return {
      ...this.#encodeSteps(batch),
      temperatures: { values: batch.temperatures, shape: [rows, 1] },
      chosen: {
        values: oneHot(batch.actions, this.actionCount),
        shape: [rows, this.actionCount],
      },
    };
  }

  /**
   * Differentiable evaluation of stored decisions under the present parameters. Hidden states are
   * rebuilt from the stored initial ones, reset inside the sequences. Call inside `tf.tidy`, a
   * gradient function or an {@linkcode ArrayFunction}.
   *
   * @param inputs Tensors of {@linkcode Policy.encodeBatch}'s names and shapes; others are ignored.
   */
  evaluateActions(inputs: NamedTensors): Evaluation {
    const input = decodeSteps(inputs);
    const { logits, values } = this.#core.network.forward(input);
    const logProbabilities = categoricalLogProbabilities(
      logits,
      inputs["temperatures"] as tf.Tensor2D,
      input.actionMask,
    );
    return {
      // A product with one-hot rows, not a gather: its gradient is missing on some backends.
      logProbs: tf.sum(tf.mul(logProbabilities, inputs["chosen"]!), 1),
      entropies: categoricalEntropy(logProbabilities),
      values,
      logits,
      logProbabilities,
    };
  }

  /**
   * Changes the value head so that it gives `scale * v + shift` where it gave v, up to rounding.
   * Logits stay as they are.
   */
  rescaleValues({ scale, shift }: { readonly scale: number; readonly shift: number }): void {
    for (const name of ["kernel", "bias"] as const) {
      const variable = this.parameters.get(`critic.head.${name}`);
      const offset = name === "bias" ? shift : 0;
      const values = Float32Array.from(variable.dataSync(), (value) => scale * value + offset);
      this.parameters.assign(variable, values);
    }
  }

  /**
   * Names of the parameters that the values depend on and the logits do not; nothing but the value
   * loss has a gradient there.
   */
  get criticParameterNames(): string[] {
    return this.parameters.names.filter((name) => name.startsWith("critic."));
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

  /**
   * The same policy for clusters of another size. The two share their parameters: what trains or
   * frees one trains or frees both.
   *
   * @throws {RangeError} When its parameters belong to one number of replicas.
   *
   * @example Four replicas, then two
   * ```ts
   * import { createPolicy, policySchema } from "@signalbox/signalbox/policy";
   * import { Rng } from "@signalbox/signalbox/random";
   * import assert from "node:assert/strict";
   *
   * const config = policySchema.parse({ kind: "replica_scorer", loadResidualSlope: 0 });
   * const replicaLayout = { replicaCount: 4, perReplicaSize: 3, globalSize: 1 };
   * const shape = { observationSize: 13, actionCount: 4, replicaLayout };
   * const policy = createPolicy(config, shape, new Rng(1));
   * const { logits } = policy.resized(2).predict(new Float32Array(2 * 3 + 1));
   * assert.equal(logits.length, 2);
   * policy.dispose();
   * ```
   */
  resized(replicaCount: number): Policy {
    const reason = fixedSizeReason(this.config);
    if (reason !== undefined) {
      throw new RangeError(
        `Cannot resize the policy: replicaCount must be ${this.actionCount}, since ${reason}, ` +
          `current value is ${replicaCount}`,
      );
    }
    const { perReplicaSize, globalSize, ...rest } = this.#shape.replicaLayout!;
    const shape = {
      observationSize: replicaCount * perReplicaSize + globalSize,
      actionCount: replicaCount,
      replicaLayout: { ...rest, perReplicaSize, globalSize, replicaCount },
    };
    checkShape(shape);
    return new Policy(this.config, shape, this.#core);
  }

  /** Frees the parameters. */
  dispose(): void {
    this.#core.forward.dispose();
    this.parameters.dispose();
  }

  /** What the network needs, as arrays; masks only where they forbid something. */
  #encodeSteps(batch: StepBatch): Record<string, ShapedArray> {
    const { sequenceLength, sequenceCount, observations, episodeStarts, actionMasks } = batch;
    const { observationSize, actionCount, hiddenStateSize } = this;
    const rows = sequenceLength * sequenceCount;
    const arrays: Record<string, ShapedArray> = {
      observations: { values: observations, shape: [rows, observationSize] },
    };
    if (hiddenStateSize > 0) {
      const shape = [sequenceCount, hiddenStateSize];
      const keep = Float32Array.from(episodeStarts, (start) => 1 - start);
      arrays["hiddenStates"] = { values: batch.hiddenStates, shape };
      arrays["keep"] = { values: keep, shape: [sequenceLength, sequenceCount] };
    }
    if (actionMasks?.includes(0)) {
      const values = Float32Array.from(actionMasks);
      arrays["actionMask"] = { values, shape: [rows, actionCount] };
    }
    return arrays;
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
  checkShape(shape);
  const parameters = new ParameterSet();
  const network = createNetwork(config, shape, { parameters, rng });
  const forward = new ArrayFunction(
    (inputs) => ({ ...network.forward(decodeSteps(inputs)) }),
    parameters.variables,
  );
  return new Policy(config, shape, { parameters, network, forward });
}

/** What a forward pass depends on. */
type StepBatch = Omit<SequenceBatch, "actions" | "temperatures" | "actionMasks"> & {
  readonly actionMasks?: Uint8Array | undefined;
};

/** The network's input from encoded steps. */
function decodeSteps(tensors: NamedTensors): NetworkInput {
  const { observations, hiddenStates, keep, actionMask } = tensors as Record<string, tf.Tensor2D>;
  return {
    observations: observations!,
    memory: hiddenStates && keep && { hiddenStates, keep },
    actionMask,
  };
}

/** The network of a configuration. */
function createNetwork(
  config: PolicyConfig,
  shape: PolicyShape,
  context: { readonly parameters: ParameterSet; readonly rng: Rng },
): Network {
  switch (config.kind) {
    case "actor_critic":
      return createActorCritic(config, shape, context);
    case "mlp":
      return createMlp(config, shape, context);
    case "replica_scorer":
      return createReplicaScorer(config, shape, context);
  }
}

/** Refuses sizes that no network has. */
function checkShape(shape: PolicyShape): void {
  for (const name of ["observationSize", "actionCount"] as const) {
    if (!Number.isInteger(shape[name]) || shape[name] < 1) {
      throw new RangeError(
        `Cannot create a policy: ${name} must be an integer >= 1, current value is ${shape[name]}`,
      );
    }
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
