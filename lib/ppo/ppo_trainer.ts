/**
 * Proximal policy optimisation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { AdamOptimizer, type AdamState, globalNorm } from "../kernels/mod.ts";
import { ArrayFunction, type NamedTensors, type Policy } from "../policy/mod.ts";
import type { Rng } from "../random/mod.ts";
import { normalizeAdvantages } from "./advantages.ts";
import { explainedVariance, ratioStatistics } from "./diagnostics.ts";
import { gradientScale } from "./gradient_scale.ts";
import { encodeMinibatch, ppoObjective } from "./objective.ts";
import type { PpoConfig } from "./ppo_schema.ts";
import type { Minibatch, RolloutBuffer } from "./rollout_buffer.ts";
import { scheduledValues } from "./schedules.ts";

/** An update stops when a minibatch's divergence exceeds this multiple of targetKl; as Stable-Baselines3. */
const TARGET_KL_FACTOR = 1.5;

/** The objective and its terms. */
const LOSS_TERMS = ["totalLoss", "policyLoss", "valueLoss", "entropy", "klExact"] as const;

/** Statistics that are averaged over minibatches. */
const AVERAGED = [
  ...LOSS_TERMS,
  "approxKl",
  "oldApproxKl",
  "clipFraction",
  "gradNorm",
] as const;

/** Terms of the objective on one minibatch. */
export interface LossTerms {
  /** Clipped surrogate. */
  readonly policyLoss: number;
  /** Half the mean squared error of the values. */
  readonly valueLoss: number;
  /** Mean entropy in nats. */
  readonly entropy: number;
  /** Mean exact divergence KL(old || new) in nats. */
  readonly klExact: number;
  /** policyLoss + valueCoef valueLoss + klCoef klExact - entropyCoef entropy + floor penalty. */
  readonly totalLoss: number;
}

/** What one update did; losses and divergences are means over the minibatches it looked at. */
export interface UpdateStats extends LossTerms {
  /** Estimator k3 of the divergence. */
  readonly approxKl: number;
  /** Estimator k1 of the divergence. */
  readonly oldApproxKl: number;
  /** Share of clipped ratios. */
  readonly clipFraction: number;
  /** Of the rollout's values against its returns; NaN when all returns are equal. */
  readonly explainedVariance: number;
  /** Global gradient norm before clipping. */
  readonly gradNorm: number;
  /** Step size in force. */
  readonly learningRate: number;
  /** Entropy weight in force. */
  readonly entropyCoef: number;
  /**
   * Largest |ratio - 1| in the first minibatch, before any step. When the present policy took all
   * the decisions it is 0 up to rounding, or acting and training disagree about the policy.
   */
  readonly initialRatioDeviation: number;
  /** Epochs begun. */
  readonly epochsRun: number;
  /** Optimiser steps taken. */
  readonly stepsTaken: number;
  /** Whether targetKl ended the update early. */
  readonly stoppedEarly: boolean;
}

/** Everything a trainer remembers; plain data for checkpoints. */
export interface PpoTrainerState {
  /** The optimiser's moments. */
  readonly optimizer: AdamState;
}

/** A differentiated minibatch; arrays are valid until the next one. */
interface MinibatchGradients extends LossTerms {
  /** `[M]`, of the stored actions under the present policy. */
  readonly logProbs: Float32Array;
  /** One array a parameter. */
  readonly gradients: readonly Float32Array[];
}

/**
 * Trains a policy from rollouts: several epochs of shuffled minibatches of the clipped objective,
 * Adam, global gradient clipping, early stop by divergence.
 *
 * Source: Schulman et al., "Proximal policy optimization algorithms" (2017); details as in
 * spec/practice.md section 3, defaults as in {@linkcode ppoSchema}.
 */
export class PpoTrainer {
  readonly #policy: Policy;
  readonly #config: PpoConfig;
  readonly #rng: Rng;
  readonly #optimizer: AdamOptimizer;
  readonly #gradients: ArrayFunction;

  /**
   * A trainer for the tfjs backend that is active now; it must stay active.
   *
   * @param options.rng Shuffles minibatches.
   */
  constructor(policy: Policy, config: PpoConfig, { rng }: { readonly rng: Rng }) {
    this.#policy = policy;
    this.#config = config;
    this.#rng = rng;
    this.#optimizer = new AdamOptimizer(policy.parameters.variables);
    this.#gradients = new ArrayFunction(
      (inputs) => differentiate(policy, inputs, config),
      policy.parameters.variables,
    );
  }

  /**
   * One update from one finished rollout.
   *
   * @param options.progress Share of the run that is done, in [0, 1], for the schedules.
   * @throws {RangeError} When the buffer is not finished or a loss is not finite.
   */
  update(buffer: RolloutBuffer, { progress }: { readonly progress: number }): UpdateStats {
    if (!buffer.isFinished) {
      throw new RangeError(
        "Cannot update the policy: buffer must be finished, current value is unfinished",
      );
    }
    const { clipRatio, epochs, minibatchSize, targetKl, maxGradNorm } = this.#config;
    const { learningRate, entropyCoef } = scheduledValues(this.#config, progress);
    if (this.#config.advantageNormalization === "rollout") normalizeAdvantages(buffer.advantages);
    const means = new RunningMeans(AVERAGED);
    let initialRatioDeviation: number | undefined;
    let epochsRun = 0;
    let stepsTaken = 0;
    let stoppedEarly = false;
    for (; epochsRun < epochs && !stoppedEarly; epochsRun++) {
      for (const minibatch of buffer.minibatches(minibatchSize, this.#rng)) {
        const { logProbs, gradients, ...terms } = this.#differentiate(minibatch, entropyCoef);
        const { maxRatioDeviation, ...ratios } = ratioStatistics(
          logProbs,
          minibatch.logProbs,
          clipRatio,
        );
        initialRatioDeviation ??= maxRatioDeviation;
        const gradNorm = globalNorm(gradients);
        means.add({ ...terms, ...ratios, gradNorm });
        if (targetKl !== null && terms.klExact > TARGET_KL_FACTOR * targetKl) {
          stoppedEarly = true;
          break;
        }
        this.#optimizer.step(gradients, {
          learningRate,
          beta1: this.#config.adamBeta1,
          beta2: this.#config.adamBeta2,
          epsilon: this.#config.adamEpsilon,
          scale: gradientScale(gradNorm, maxGradNorm),
        });
        stepsTaken++;
      }
    }
    return {
      ...means.means(),
      explainedVariance: explainedVariance(buffer.values, buffer.returns),
      learningRate,
      entropyCoef,
      initialRatioDeviation: initialRatioDeviation!,
      epochsRun,
      stepsTaken,
      stoppedEarly,
    };
  }

  /** A copy of everything remembered beside the policy's weights and the generator. */
  getState(): PpoTrainerState {
    return { optimizer: this.#optimizer.getState() };
  }

  /**
   * Continues from a saved state.
   *
   * @throws {RangeError} When it does not fit the policy.
   */
  setState(state: PpoTrainerState): void {
    this.#optimizer.setState(state.optimizer);
  }

  /** Frees the trainer's memory; not the policy. */
  dispose(): void {
    this.#gradients.dispose();
    this.#optimizer.dispose();
  }

  /** Loss and gradients on one minibatch. */
  #differentiate(minibatch: Minibatch, entropyCoef: number): MinibatchGradients {
    const config = { ...this.#config, entropyCoef };
    const outputs = this.#gradients.run(encodeMinibatch(this.#policy, minibatch, config));
    const terms = Object.fromEntries(
      LOSS_TERMS.map((name) => [name, outputs[name]![0]!]),
    ) as Record<keyof LossTerms, number>;
    if (!Number.isFinite(terms.totalLoss)) {
      throw new RangeError(
        `Cannot update the policy: totalLoss must be finite, current value is ${terms.totalLoss} (${
          LOSS_TERMS.map((name) => `${name} ${terms[name]}`).join(", ")
        })`,
      );
    }
    return {
      ...terms,
      logProbs: outputs["logProbs"]!,
      gradients: this.#policy.parameters.names.map((name) => outputs[gradientName(name)]!),
    };
  }
}

/** Means of records of numbers, key by key. */
class RunningMeans<Key extends string> {
  readonly #sums: Record<Key, number>;
  #count = 0;

  constructor(keys: readonly Key[]) {
    this.#sums = Object.fromEntries(keys.map((key) => [key, 0])) as Record<Key, number>;
  }

  add(record: Readonly<Record<Key, number>>): void {
    this.#count++;
    for (const key of Object.keys(this.#sums) as Key[]) this.#sums[key] += record[key];
  }

  means(): Record<Key, number> {
    const entries = Object.entries<number>(this.#sums);
    return Object.fromEntries(entries.map(([key, sum]) => [key, sum / this.#count])) as Record<
      Key,
      number
    >;
  }
}

/** The objective's terms and its gradients by name, see {@linkcode gradientName}. */
function differentiate(policy: Policy, inputs: NamedTensors, config: PpoConfig): NamedTensors {
  const { parameters } = policy;
  const kept: NamedTensors = {};
  const { grads } = tf.variableGrads(() => {
    const objective = ppoObjective(policy, inputs, config);
    for (const [name, tensor] of Object.entries(objective)) kept[name] = tf.keep(tensor);
    return objective.totalLoss;
  }, parameters.variables);
  const outputs: NamedTensors = {};
  for (const [name, tensor] of Object.entries(kept)) {
    // Out of the gradient function's scope, into the caller's.
    outputs[name] = tf.clone(tensor);
    tensor.dispose();
  }
  for (const name of parameters.names) {
    outputs[gradientName(name)] = grads[parameters.get(name).name]!;
  }
  return outputs;
}

/** Name of a parameter's gradient among the outputs. */
function gradientName(parameter: string): string {
  return `gradient of ${parameter}`;
}
