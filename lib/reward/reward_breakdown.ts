/**
 * A reward, taken apart.
 *
 * @module
 */

/**
 * Everything that went into one reward. Every field is present in every mode, 0 where the mode does
 * not use it, so that records become table columns. The fields that end in `Term` are signed and
 * weighted: they sum to `rawReward`.
 */
export interface RewardBreakdown {
  /** What the agent gets: `rawReward`, squashed; penalties scaled in a stage of a curriculum. */
  readonly reward: number;
  /** Sum of the terms. */
  readonly rawReward: number;
  /** Completed requests per second, over the configured scope. */
  readonly throughput: number;
  /** Mean end-to-end latency in seconds, over the configured scope. */
  readonly latencySeconds: number;
  /** hybrid: running average of throughput. */
  readonly throughputEma: number;
  /** hybrid: running average of latency in seconds. */
  readonly latencyEmaSeconds: number;
  /** Imbalance of the load, unweighted. */
  readonly loadImbalance: number;
  /** sojourn: discounted integral of the jobs in the system since the last decision. */
  readonly jobSeconds: number;
  /** delta: change of throughput; instant: throughput. */
  readonly throughputTerm: number;
  /** delta: minus weighted change of latency; instant: minus weighted latency. */
  readonly latencyTerm: number;
  /** delta, instant: minus weighted range of KV use over replicas. */
  readonly utilizationRangeTerm: number;
  /** delta, instant, hybrid: minus weighted imbalance. */
  readonly loadBalanceTerm: number;
  /** delta, instant: minus the soft threshold penalty. */
  readonly thresholdTerm: number;
  /** hybrid: weighted absolute score. */
  readonly absoluteTerm: number;
  /** hybrid: weighted delta score. */
  readonly deltaTerm: number;
  /** hybrid: minus weighted standard deviation of the load. */
  readonly loadStdTerm: number;
  /** hybrid: minus the logistic penalty. */
  readonly logisticTerm: number;
  /** hybrid: minus weighted extreme imbalance. */
  readonly extremeImbalanceTerm: number;
  /** hybrid: minus weighted shortfall and excess of throughput per latency. */
  readonly efficiencyTerm: number;
  /** delta, instant, hybrid: weighted evenness of the last decisions. */
  readonly actionBalanceTerm: number;
  /** sojourn: minus the job-seconds. */
  readonly sojournTerm: number;
  /** request: rewards of the requests completed since the last decision, summed. */
  readonly requestTerm: number;
}

/** The terms of a {@linkcode RewardBreakdown}, in order: they sum to `rawReward`. */
export const REWARD_TERMS: readonly (keyof RewardBreakdown)[] = [
  "throughputTerm",
  "latencyTerm",
  "utilizationRangeTerm",
  "loadBalanceTerm",
  "thresholdTerm",
  "absoluteTerm",
  "deltaTerm",
  "loadStdTerm",
  "logisticTerm",
  "extremeImbalanceTerm",
  "efficiencyTerm",
  "actionBalanceTerm",
  "sojournTerm",
  "requestTerm",
];

/** All fields of a {@linkcode RewardBreakdown}, in order. */
export const REWARD_BREAKDOWN_KEYS: readonly (keyof RewardBreakdown)[] = [
  "reward",
  "rawReward",
  "throughput",
  "latencySeconds",
  "throughputEma",
  "latencyEmaSeconds",
  "loadImbalance",
  "jobSeconds",
  ...REWARD_TERMS,
];
