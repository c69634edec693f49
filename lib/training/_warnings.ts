/**
 * Signs that training goes wrong.
 *
 * @module
 */
import type { TailLatencyAlert } from "../metrics/mod.ts";

/** A share of decisions above this is a collapse. Source: spec/scheduler.md section 16. */
const MAX_SHARE = 0.85;

/** Entropy below this share of ln(replicas) is a collapse. Source: spec/scheduler.md section 16. */
const MIN_ENTROPY_SHARE = 0.1;

/** Rewards that deviate by less than this share of their mean say nothing about actions. */
const MIN_RELATIVE_STD = 1e-3;

/** A gradient shorter than this moves nothing. Source: spec/scheduler.md section 16. */
const MIN_GRADIENT_NORM = 1e-6;

/** Something that a person who watches the training should know. */
export interface TrainingWarning {
  /** What it is about. */
  readonly kind: "action_collapse" | "reward_staleness" | "vanishing_gradient" | "tail_latency";
  /** The number that gave rise to it. */
  readonly value: number;
  /** Where that number should have stopped. */
  readonly limit: number;
  /** One line for people. */
  readonly message: string;
}

/** What an update is judged by. */
export interface WarningInput {
  /** How often each replica was chosen in the rollout, summing to 1. */
  readonly actionShares: readonly number[];
  /** Mean entropy of the decisions in nats. */
  readonly entropy: number;
  /** Mean reward of the rollout. */
  readonly rewardMean: number;
  /** Standard deviation of the reward over the rollout. */
  readonly rewardStd: number;
  /** Norm of the gradient before clipping. */
  readonly gradNorm: number;
  /** What the tail-latency monitor says. */
  readonly tailLatencyAlert?: TailLatencyAlert | undefined;
}

/**
 * The warnings of one update, in a fixed order; nothing is done about them. A policy for replicas
 * of very different speeds may rightly give one of them nearly everything: a warning is a question.
 * Of the signals of the collapse detector in spec/scheduler.md section 16, those on the variation and
 * the smallest share of actions are left out, which random routing trips, and the decline of the
 * reward, whose limit depends on the reward's scale.
 */
export function trainingWarnings(input: WarningInput): TrainingWarning[] {
  const { actionShares, entropy, rewardMean, rewardStd, gradNorm, tailLatencyAlert } = input;
  const warnings: TrainingWarning[] = [];
  if (actionShares.length > 1) {
    const share = Math.max(...actionShares);
    const entropyShare = entropy / Math.log(actionShares.length);
    if (share > MAX_SHARE) {
      warnings.push({
        kind: "action_collapse",
        value: share,
        limit: MAX_SHARE,
        message: `replica ${actionShares.indexOf(share)} gets ${percent(share)} of all requests`,
      });
    } else if (entropyShare < MIN_ENTROPY_SHARE) {
      warnings.push({
        kind: "action_collapse",
        value: entropyShare,
        limit: MIN_ENTROPY_SHARE,
        message: `decisions have only ${percent(entropyShare)} of the largest possible entropy`,
      });
    }
  }
  const relativeStd = rewardStd === 0 ? 0 : rewardStd / Math.abs(rewardMean);
  if (relativeStd < MIN_RELATIVE_STD) {
    warnings.push({
      kind: "reward_staleness",
      value: relativeStd,
      limit: MIN_RELATIVE_STD,
      message: `rewards hardly differ: ${rewardMean.toPrecision(3)} -+ ${rewardStd.toPrecision(2)}`,
    });
  }
  if (gradNorm < MIN_GRADIENT_NORM) {
    warnings.push({
      kind: "vanishing_gradient",
      value: gradNorm,
      limit: MIN_GRADIENT_NORM,
      message: `the gradient has a norm of only ${gradNorm.toPrecision(2)}`,
    });
  }
  if (tailLatencyAlert !== undefined) {
    const { p99Seconds, thresholdSeconds } = tailLatencyAlert;
    warnings.push({
      kind: "tail_latency",
      value: p99Seconds,
      limit: thresholdSeconds,
      message: `p99 latency ${p99Seconds.toFixed(1)} s is above ${thresholdSeconds} s`,
    });
  }
  return warnings;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
