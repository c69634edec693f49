/**
 * Which of the policies that a training run passes through it results in.
 *
 * @module
 */
import { summarizeRuns } from "../metrics/mod.ts";
import { RunningNormalizer } from "../state/mod.ts";
import type { SelectedPolicy } from "./checkpoint/training_state.ts";
import { evaluatePolicies, policyEntry } from "./evaluate_policies.ts";
import { openScenario, type Scenario } from "./scenario.ts";
import { resizeTrainedPolicy, type TrainedPolicy } from "./trained_policy.ts";

/** How a policy under training did on validation arrivals, acting greedily. */
export interface ValidationRecord {
  /** Updates that it had behind it. */
  readonly update: number;
  /** Decisions that it had behind it, over all environments. */
  readonly decisions: number;
  /** Mean end-to-end latency in seconds. */
  readonly e2eMeanSeconds: number;
  /** 99th percentile of the end-to-end latency in seconds. */
  readonly e2eP99Seconds: number;
  /** Mean time to first token in seconds. */
  readonly ttftMeanSeconds: number;
  /** What policies are chosen by: mean E2E + `reward.ttftWeight` x mean TTFT, in seconds. */
  readonly costSeconds: number;
}

/**
 * Validation of a training run as `training.validation` describes it: the policy now and then routes
 * the same validation arrivals, and the cheapest one so far is kept. Those arrivals are neither
 * trained on nor tested on.
 */
export class PolicySelection {
  readonly #scenario: Scenario;
  #selected: SelectedPolicy | undefined;

  private constructor(scenario: Scenario, selected: SelectedPolicy | undefined) {
    this.#scenario = scenario;
    this.#selected = selected;
  }

  /**
   * Opens the validation arrivals of a scenario.
   *
   * @param selected What a checkpoint says was selected before it, if the run goes on from one.
   * @returns undefined when the configuration asks for no validation.
   */
  static async open(
    { config }: Scenario,
    selected?: SelectedPolicy,
  ): Promise<PolicySelection | undefined> {
    const { everyUpdates, seeds, requests } = config.training.validation;
    if (everyUpdates === 0) return undefined;
    const evaluation = { ...config.evaluation, seeds, requests };
    return new PolicySelection(await openScenario({ ...config, evaluation }), selected);
  }

  /** The best policy so far; undefined when none was validated or the last one is kept anyway. */
  get selected(): SelectedPolicy | undefined {
    return this.#selected;
  }

  /** Whether the policy is to be validated after that update. */
  isDue(
    { update, updateCount }: { readonly update: number; readonly updateCount: number },
  ): boolean {
    const { everyUpdates } = this.#scenario.config.training.validation;
    return update % everyUpdates === 0 || update === updateCount;
  }

  /** Runs a policy on the validation arrivals and keeps a copy if it is the best so far. */
  async consider(
    trained: TrainedPolicy,
    { update, decisions }: { readonly update: number; readonly decisions: number },
  ): Promise<ValidationRecord> {
    const { config, replicas } = this.#scenario;
    const acting = resizeTrainedPolicy(trained, replicas.length);
    const entries = [policyEntry(acting, "validation", "greedy")];
    const runs = await evaluatePolicies(this.#scenario, entries, { split: "validation" });
    const { e2eMeanSeconds, e2eP99Seconds, ttftMeanSeconds } = summarizeRuns(runs, replicas.length);
    const costSeconds = e2eMeanSeconds + config.reward.ttftWeight * ttftMeanSeconds;
    const isBest = costSeconds < (this.#selected?.costSeconds ?? Infinity);
    if (isBest && config.training.validation.keep === "best") {
      const { policy, normalizer } = trained;
      const copy = { weights: policy.getWeights(), normalizer: normalizer.toJSON() };
      this.#selected = { update, costSeconds, ...copy };
    }
    return { update, decisions, e2eMeanSeconds, e2eP99Seconds, ttftMeanSeconds, costSeconds };
  }

  /** Turns the policy that a run ended with into the one selected, in place. */
  choose(trained: TrainedPolicy): TrainedPolicy {
    if (this.#selected === undefined) return trained;
    const { weights, normalizer: statistics } = this.#selected;
    trained.policy.setWeights(weights);
    const normalizer = RunningNormalizer.fromJSON(statistics, trained.config.normalizer);
    normalizer.freeze();
    return { ...trained, normalizer };
  }
}
