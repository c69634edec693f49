/**
 * Proximal policy optimisation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { ArrayFunction, type NamedTensors, type Policy } from "../policy/mod.ts";
import type { Rng } from "../random/mod.ts";
import { normalizeAdvantages } from "./advantages.ts";
import { explainedVariance, ratioStatistics } from "./diagnostics.ts";
import { plantFaults } from "./_faults.ts";
import { encodeMinibatch, ppoObjective } from "./objective.ts";
import { PolicyOptimizer, type PolicyOptimizerState } from "./policy_optimizer.ts";
import type { PpoConfig } from "./ppo_schema.ts";
import type { ReferencePolicy } from "./reference_policy.ts";
import { ReturnNormalizer, type ReturnNormalizerState } from "./return_normalizer.ts";
import type { Minibatch, RolloutBuffer } from "./rollout_buffer.ts";
import { entropyWarmupAt, referenceKlCoefAt, scheduledValues } from "./schedules.ts";

/** An update stops when a minibatch's divergence exceeds this multiple of targetKl; as Stable-Baselines3. */
const TARGET_KL_FACTOR = 1.5;

/** The objective and its terms. */
const LOSS_TERMS = ["totalLoss", "policyLoss", "valueLoss", "entropy", "klExact"] as const;

/** Statistics that are averaged over minibatches. */
const AVERAGED = [
  ...LOSS_TERMS,
  "referenceKl",
  "approxKl",
  "oldApproxKl",
  "clipFraction",
  "gradNorm",
  "criticGradNorm",
] as const;

/** Terms of the objective on one minibatch. */
export interface LossTerms {
  /** Clipped surrogate. */
  readonly policyLoss: number;
  /** Half the mean squared error of the values; with returnNormalization in its units. */
  readonly valueLoss: number;
  /** Mean entropy in nats. */
  readonly entropy: number;
  /** Mean exact divergence KL(old || new) in nats. */
  readonly klExact: number;
  /** Mean exact divergence KL(current || reference) in nats; null without a reference policy. */
  readonly referenceKl: number | null;
  /** What is minimised, see {@linkcode ppoObjective}. */
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
  /** Gradient norm before clipping, with separate optimisers without the critic's own parameters. */
  readonly gradNorm: number;
  /** Of the critic's own parameters before clipping; null with one optimiser. */
  readonly criticGradNorm: number | null;
  /** Step size in force. */
  readonly learningRate: number;
  /** Entropy weight in force after the update. */
  readonly entropyCoef: number;
  /** Weight of `referenceKl` in force after the update; null without a reference policy. */
  readonly referenceKlCoef: number | null;
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
export interface PpoTrainerState extends PolicyOptimizerState {
  /** Statistics of the returns; absent without returnNormalization. */
  readonly returns?: ReturnNormalizerState;
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
 * With `returnNormalization` the value head learns returns in units of their running mean and
 * deviation. Every update first takes the rollout's returns into these statistics and rescales the
 * head so that the values, in units of returns, stay what they were. Whoever asks the policy for
 * values has them denormalised by {@linkcode PpoTrainer.returnNormalizer}.
 *
 * Source: Schulman et al., "Proximal policy optimization algorithms" (2017); details as in
 * spec/practice.md section 3, defaults as in {@linkcode ppoSchema}.
 */
export class PpoTrainer {
  readonly #policy: Policy;
  readonly #config: PpoConfig;
  readonly #rng: Rng;
  readonly #optimizer: PolicyOptimizer;
  readonly #gradients: ArrayFunction;
  readonly #reference: ReferencePolicy | undefined;
  /** Relates the policy's values to returns; undefined: they are in the same units. */
  readonly returnNormalizer: ReturnNormalizer | undefined;

  /**
   * A trainer for the tfjs backend that is active now; it must stay active.
   *
   * @param options.rng Shuffles minibatches.
   * @param options.reference The policy that this one is held near; not owned.
   */
  constructor(
    policy: Policy,
    config: PpoConfig,
    { rng, reference }: { readonly rng: Rng; readonly reference?: ReferencePolicy | undefined },
  ) {
    this.#policy = policy;
    this.#config = config;
    this.#rng = rng;
    this.#reference = reference;
    this.returnNormalizer = config.returnNormalization ? new ReturnNormalizer() : undefined;
    this.#optimizer = new PolicyOptimizer(policy, config);
    this.#gradients = new ArrayFunction(
      (inputs) => differentiate(policy, inputs, config),
      policy.parameters.variables,
    );
  }

  /**
   * One update from one finished rollout.
   *
   * @param options.progress Share of the run that is done, in [0, 1], for the schedules.
   * @throws {RangeError} When the buffer is not finished or a loss or return is not finite.
   */
  update(buffer: RolloutBuffer, { progress }: { readonly progress: number }): UpdateStats {
    if (!buffer.isFinished) {
      throw new RangeError(
        "Cannot update the policy: buffer must be finished, current value is unfinished",
      );
    }
    const { clipRatio, epochs, minibatchSize, targetKl } = this.#config;
    const { entropyCoef, ...rates } = scheduledValues(this.#config, progress);
    this.#renewReturnUnits(buffer.returns);
    if (this.#config.advantageNormalization === "rollout") normalizeAdvantages(buffer.advantages);
    const reference = this.#reference;
    if (reference !== undefined) buffer.setReference(reference.logProbabilities(buffer));
    plantFaults(buffer, this.#config.faults);
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
        const norms = this.#optimizer.norms(gradients);
        means.add({
          ...terms,
          ...ratios,
          gradNorm: norms.gradNorm,
          criticGradNorm: norms.criticGradNorm ?? 0,
          referenceKl: terms.referenceKl ?? 0,
        });
        if (targetKl !== null && terms.klExact > TARGET_KL_FACTOR * targetKl) {
          stoppedEarly = true;
          break;
        }
        this.#optimizer.step(gradients, { norms, ...rates });
        stepsTaken++;
      }
    }
    const averages = means.means();
    return {
      ...averages,
      referenceKl: reference === undefined ? null : averages.referenceKl,
      criticGradNorm: this.#config.optimizers === "joint" ? null : averages.criticGradNorm,
      explainedVariance: explainedVariance(buffer.values, buffer.returns),
      learningRate: rates.learningRate,
      entropyCoef: entropyCoef + this.#entropyWarmup(),
      referenceKlCoef: reference === undefined ? null : this.#referenceKlCoef(),
      initialRatioDeviation: initialRatioDeviation!,
      epochsRun,
      stepsTaken,
      stoppedEarly,
    };
  }

  /** A copy of everything remembered beside the policy's weights and the generator. */
  getState(): PpoTrainerState {
    const state = this.#optimizer.getState();
    const returns = this.returnNormalizer?.getState();
    return returns === undefined ? state : { ...state, returns };
  }

  /**
   * Continues from a saved state.
   *
   * @throws {RangeError} When it does not fit the policy or the configuration.
   */
  setState({ returns, ...optimizers }: PpoTrainerState): void {
    if ((returns === undefined) !== (this.returnNormalizer === undefined)) {
      throw new RangeError(
        `Cannot restore the trainer: returns must be ${
          this.returnNormalizer === undefined ? "absent" : "given"
        } when returnNormalization is ${this.#config.returnNormalization}, current value is ${
          returns === undefined ? "absent" : "given"
        }`,
      );
    }
    this.#optimizer.setState(optimizers);
    if (returns !== undefined) this.returnNormalizer?.setState(returns);
  }

  /** Frees the trainer's memory; not the policy. */
  dispose(): void {
    this.#gradients.dispose();
    this.#optimizer.dispose();
  }

  /** Takes in new returns; values in units of returns stay what they were. */
  #renewReturnUnits(returns: Float32Array): void {
    const normalizer = this.returnNormalizer;
    if (normalizer === undefined) return;
    const { mean, deviation } = normalizer;
    normalizer.update(returns);
    this.#policy.rescaleValues({
      scale: deviation / normalizer.deviation,
      shift: (mean - normalizer.mean) / normalizer.deviation,
    });
  }

  /** The minibatch with values and returns in the critic's units. */
  #inCriticUnits(minibatch: Minibatch): Minibatch {
    const normalizer = this.returnNormalizer;
    if (normalizer === undefined) return minibatch;
    return {
      ...minibatch,
      values: normalizer.normalize(minibatch.values),
      returns: normalizer.normalize(minibatch.returns),
    };
  }

  /** What warming up adds to the weight of the entropy at the next step. */
  #entropyWarmup(): number {
    return entropyWarmupAt(this.#config, this.#optimizer.stepCount);
  }

  /** Weight of the divergence from the reference policy at the next step. */
  #referenceKlCoef(): number {
    return referenceKlCoefAt(this.#config, this.#optimizer.stepCount);
  }

  /** Loss and gradients on one minibatch. */
  #differentiate(minibatch: Minibatch, entropyCoef: number): MinibatchGradients {
    const config = {
      ...this.#config,
      entropyCoef: entropyCoef + this.#entropyWarmup(),
      referenceKlCoef: this.#referenceKlCoef(),
    };
    const outputs = this.#gradients.run(
      encodeMinibatch(this.#policy, this.#inCriticUnits(minibatch), config),
    );
    const terms = Object.fromEntries(
      LOSS_TERMS.map((name) => [name, outputs[name]![0]!]),
    ) as Record<typeof LOSS_TERMS[number], number>;
    if (!Number.isFinite(terms.totalLoss)) {
      throw new RangeError(
        `Cannot update the policy: totalLoss must be finite, current value is ${terms.totalLoss} (${
          LOSS_TERMS.map((name) => `${name} ${terms[name]}`).join(", ")
        })`,
      );
    }
    return {
      ...terms,
      referenceKl: outputs["referenceKl"]?.[0] ?? null,
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
