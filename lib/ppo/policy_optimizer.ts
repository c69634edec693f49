/**
 * One optimiser for a whole policy, or one for the policy and one for its critic.
 *
 * @module
 */
import { AdamOptimizer, type AdamState, globalNorm } from "../kernels/mod.ts";
import type { Policy } from "../policy/mod.ts";
import { gradientScale } from "./gradient_scale.ts";
import type { PpoConfig } from "./ppo_schema.ts";
import type { ScheduledValues } from "./schedules.ts";

/** What a {@linkcode PolicyOptimizer} reads of the configuration. */
export type OptimizerConfig = Pick<
  PpoConfig,
  "adamBeta1" | "adamBeta2" | "adamEpsilon" | "maxGradNorm" | "optimizers" | "criticMaxGradNorm"
>;

/** Moments of the optimisers; plain data for checkpoints. */
export interface PolicyOptimizerState {
  /** Of all parameters, or of those that are not the critic's alone. */
  readonly optimizer: AdamState;
  /** Of the critic's own parameters; absent when one optimiser has them all. */
  readonly criticOptimizer?: AdamState;
}

/** Euclidean norms of a gradient before clipping. */
export interface GradientNorms {
  /** Of all parameters, or of those that are not the critic's alone. */
  readonly gradNorm: number;
  /** Of the critic's own parameters; null when one optimiser has them all. */
  readonly criticGradNorm: number | null;
}

/** Parameters with an optimiser, a step size and a clip of their own. */
interface Group {
  /** Positions among the policy's parameters. */
  readonly indices: readonly number[];
  readonly adam: AdamOptimizer;
}

/**
 * Adam on the parameters of a policy, gradients clipped by their global norm.
 *
 * With `optimizers` = `"separate"` the parameters that only the values depend on
 * ({@linkcode Policy.criticParameterNames}) have a step size and a norm of their own: a large value
 * loss then no longer shortens the policy's steps. Parameters that both depend on stay with the
 * policy's.
 *
 * Source: spec/scheduler.md section 10.2, item 5.
 */
export class PolicyOptimizer {
  readonly #config: OptimizerConfig;
  readonly #main: Group;
  readonly #critic: Group | undefined;

  /** An optimiser that has taken no step. */
  constructor(policy: Policy, config: OptimizerConfig) {
    this.#config = config;
    const { names, variables } = policy.parameters;
    const own = new Set(config.optimizers === "separate" ? policy.criticParameterNames : []);
    function group(isIncluded: (name: string) => boolean): Group {
      const indices = [...names.keys()].filter((i) => isIncluded(names[i]!));
      return { indices, adam: new AdamOptimizer(indices.map((i) => variables[i]!)) };
    }
    this.#main = group((name) => !own.has(name));
    this.#critic = own.size === 0 ? undefined : group((name) => own.has(name));
  }

  /** Steps taken. */
  get stepCount(): number {
    return this.#main.adam.stepCount;
  }

  /** Norms that the next step clips. */
  norms(gradients: readonly Float32Array[]): GradientNorms {
    return {
      gradNorm: globalNorm(select(gradients, this.#main)),
      criticGradNorm: this.#critic === undefined
        ? null
        : globalNorm(select(gradients, this.#critic)),
    };
  }

  /**
   * One step of every optimiser.
   *
   * @param gradients One array a parameter of the policy.
   * @param options.norms Those of the gradients.
   * @throws {RangeError} When a length does not fit.
   */
  step(
    gradients: readonly Float32Array[],
    { norms, learningRate, criticLearningRate }:
      & Pick<ScheduledValues, "learningRate" | "criticLearningRate">
      & { readonly norms: GradientNorms },
  ): void {
    const { adamBeta1, adamBeta2, adamEpsilon, maxGradNorm, criticMaxGradNorm } = this.#config;
    const moments = { beta1: adamBeta1, beta2: adamBeta2, epsilon: adamEpsilon };
    this.#main.adam.step(select(gradients, this.#main), {
      ...moments,
      learningRate,
      scale: gradientScale(norms.gradNorm, maxGradNorm),
    });
    this.#critic?.adam.step(select(gradients, this.#critic), {
      ...moments,
      learningRate: criticLearningRate,
      scale: gradientScale(norms.criticGradNorm!, criticMaxGradNorm),
    });
  }

  /** A copy of everything remembered. */
  getState(): PolicyOptimizerState {
    const optimizer = this.#main.adam.getState();
    if (this.#critic === undefined) return { optimizer };
    return { optimizer, criticOptimizer: this.#critic.adam.getState() };
  }

  /**
   * Continues from a saved state.
   *
   * @throws {RangeError} When it does not fit the policy or the number of optimisers.
   */
  setState({ optimizer, criticOptimizer }: PolicyOptimizerState): void {
    if ((criticOptimizer === undefined) !== (this.#critic === undefined)) {
      throw new RangeError(
        `Cannot restore the optimizers: criticOptimizer must be ${
          this.#critic === undefined ? "absent" : "given"
        } when optimizers is ${this.#config.optimizers}, current value is ${
          criticOptimizer === undefined ? "absent" : "given"
        }`,
      );
    }
    this.#main.adam.setState(optimizer);
    if (criticOptimizer !== undefined) this.#critic?.adam.setState(criticOptimizer);
  }

  /** Frees the moments; not the policy. */
  dispose(): void {
    this.#main.adam.dispose();
    this.#critic?.adam.dispose();
  }
}

/** The group's part of one array a parameter. */
function select(gradients: readonly Float32Array[], { indices }: Group): Float32Array[] {
  return indices.map((i) => gradients[i]!);
}
