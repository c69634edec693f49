/**
 * Gradient steps towards target distributions.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { AdamOptimizer, globalNorm } from "../kernels/mod.ts";
import {
  ArrayFunction,
  type NamedTensors,
  type Policy,
  type SequenceBatch,
} from "../policy/mod.ts";
import { gradientScale } from "../ppo/mod.ts";
import type { PretrainingConfig } from "./pretraining_schema.ts";

/** Decay rates of Adam. Source: Kingma and Ba, "Adam" (2015). */
const BETAS = { beta1: 0.9, beta2: 0.999 } as const;

/** Name of the loss among the outputs. */
const LOSS = "loss";

/**
 * Minimises the weighted cross-entropy -sum target log policy over batches, through all layers that
 * the logits depend on. Layers that only the value depends on keep their weights.
 */
export class Cloner {
  readonly #policy: Policy;
  readonly #config: PretrainingConfig;
  readonly #gradients: ArrayFunction;
  readonly #optimizer: AdamOptimizer;
  /** Gradients of parameters that the logits do not depend on. */
  readonly #zeros = new Map<string, Float32Array>();

  /** A cloner that has taken no step. */
  constructor(policy: Policy, config: PretrainingConfig) {
    const { variables } = policy.parameters;
    this.#policy = policy;
    this.#config = config;
    this.#optimizer = new AdamOptimizer(variables);
    this.#gradients = new ArrayFunction((inputs) => differentiate(policy, inputs), variables);
  }

  /**
   * One step.
   *
   * @param targets `[L * B, A]`.
   * @param weights `[L * B]`, of the decisions in the loss.
   * @returns The loss before the step.
   * @throws {RangeError} When the loss is not finite.
   */
  step(batch: SequenceBatch, targets: Float32Array, weights: Float32Array): number {
    const { parameters, actionCount } = this.#policy;
    const outputs = this.#gradients.run({
      ...this.#policy.encodeBatch(batch),
      targets: { values: targets, shape: [weights.length, actionCount] },
      weights: { values: weights, shape: [weights.length] },
    });
    const loss = outputs[LOSS]![0]!;
    if (!Number.isFinite(loss)) {
      throw new RangeError(`Cannot pretrain: loss must be finite, current value is ${loss}`);
    }
    const gradients = parameters.names.map((name) =>
      outputs[gradientName(name)] ?? this.#zero(name)
    );
    const { learningRate, adamEpsilon: epsilon, maxGradNorm } = this.#config;
    const scale = gradientScale(globalNorm(gradients), maxGradNorm);
    this.#optimizer.step(gradients, { ...BETAS, learningRate, epsilon, scale });
    return loss;
  }

  /** Frees the memory of the optimiser; not the policy. */
  dispose(): void {
    this.#gradients.dispose();
    this.#optimizer.dispose();
  }

  #zero(name: string): Float32Array {
    let zeros = this.#zeros.get(name);
    if (zeros === undefined) {
      zeros = new Float32Array(this.#policy.parameters.get(name).size);
      this.#zeros.set(name, zeros);
    }
    return zeros;
  }
}

/** The loss, and the gradients of the parameters that it depends on. */
function differentiate(policy: Policy, inputs: NamedTensors): NamedTensors {
  const { parameters } = policy;
  const { value, grads } = tf.variableGrads(() => {
    const { logProbabilities } = policy.evaluateActions(inputs);
    const agreement: tf.Tensor1D = tf.sum(tf.mul(inputs["targets"]!, logProbabilities), 1);
    return tf.neg(tf.sum(tf.mul(agreement, inputs["weights"]!)));
  }, parameters.variables);
  const outputs: NamedTensors = { [LOSS]: value };
  for (const name of parameters.names) {
    const gradient = grads[parameters.get(name).name];
    if (gradient !== undefined) outputs[gradientName(name)] = gradient;
  }
  return outputs;
}

function gradientName(parameter: string): string {
  return `gradient of ${parameter}`;
}
