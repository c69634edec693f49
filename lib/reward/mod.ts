/**
 * What the agent is rewarded for.
 *
 * @module
 */
export { JobSeconds } from "./job_seconds.ts";
export { RequestLedger } from "./request_ledger.ts";
export type { RequestCredit, RequestWeights } from "./request_ledger.ts";
export { REWARD_BREAKDOWN_KEYS, REWARD_TERMS } from "./reward_breakdown.ts";
export type { RewardBreakdown } from "./reward_breakdown.ts";
export { RewardCalculator } from "./reward_calculator.ts";
export type { RewardCalculatorOptions, RewardScales } from "./reward_calculator.ts";
export {
  absoluteScore,
  actionBalance,
  efficiencyDeviation,
  extremeImbalance,
  latencyThresholdPenalty,
  loadImbalance,
  logisticLatencyPenalty,
  populationStd,
  relativeChange,
  squashReward,
} from "./reward_formulas.ts";
export { rewardSchema } from "./reward_schema.ts";
export type { RewardConfig, RewardMode } from "./reward_schema.ts";
