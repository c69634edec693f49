/**
 * The document's reward components, one function each.
 *
 * @module
 */
import type { RewardConfig } from "./reward_schema.ts";

/** Throughput targets below this count as this. Source: spec/scheduler.md section 6.3. */
const MIN_THROUGHPUT_TARGET = 0.1;

/** Latency thresholds below this count as this in the absolute score. Source: section 6.3. */
const MIN_THRESHOLD_SECONDS = 0.5;

/** Population standard deviation; 0 for fewer than two values. */
export function populationStd(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / values.length);
}

/**
 * How unevenly load is spread: cv = std / mean (population), cv * e^cv, or std / (mean + 1). 0 when
 * there are fewer than two replicas or no load at all.
 *
 * Source: spec/scheduler.md sections 0, 6.2 and 6.7.
 *
 * @param loads Requests per replica, each >= 0.
 *
 * @example One waiting request among four replicas is the worst the code's measure can say
 * ```ts
 * import { loadImbalance } from "@signalbox/signalbox/reward";
 * import assert from "node:assert/strict";
 *
 * assert.equal(loadImbalance([1, 0, 0, 0], "cv"), Math.sqrt(3));
 * assert.equal(loadImbalance([1, 0, 0, 0], "cvExp").toFixed(2), "9.79");
 * assert.equal(loadImbalance([1, 0, 0, 0], "cvDamped").toFixed(2), "0.35");
 * ```
 */
export function loadImbalance(
  loads: readonly number[],
  measure: RewardConfig["loadBalanceMeasure"],
): number {
  const mean = loads.reduce((sum, load) => sum + load, 0) / loads.length;
  if (loads.length < 2 || mean === 0) return 0;
  const std = populationStd(loads);
  switch (measure) {
    case "cv":
      return std / mean;
    case "cvExp":
      return (std / mean) * Math.exp(std / mean);
    case "cvDamped":
      return std / (mean + 1);
  }
}

/**
 * Soft penalty above a latency threshold: 0 if latency <= threshold, else
 * scale * (1 - e^-(latency - threshold)). Source: spec/scheduler.md section 0.
 */
export function latencyThresholdPenalty(
  latencySeconds: number,
  thresholdSeconds: number,
  scale: number,
): number {
  return latencySeconds <= thresholdSeconds
    ? 0
    : -scale * Math.expm1(thresholdSeconds - latencySeconds);
}

/**
 * Smooth penalty around a latency threshold: kappa / (1 + e^(-(latency - threshold) / sigma)).
 * Source: spec/scheduler.md section 0.
 */
export function logisticLatencyPenalty(
  latencySeconds: number,
  config: Pick<RewardConfig, "latencyThresholdSeconds" | "kappa" | "sigma">,
): number {
  const { latencyThresholdSeconds, kappa, sigma } = config;
  return kappa / (1 + Math.exp(-(latencySeconds - latencyThresholdSeconds) / sigma));
}

/**
 * Level of the system: throughput / max(target, 0.1) - alpha * latency / max(threshold, 0.5).
 * Source: spec/scheduler.md section 6.3.
 */
export function absoluteScore(
  throughput: number,
  latencySeconds: number,
  config: Pick<RewardConfig, "throughputTarget" | "alpha" | "latencyThresholdSeconds">,
): number {
  const { throughputTarget, alpha, latencyThresholdSeconds } = config;
  return throughput / Math.max(throughputTarget, MIN_THROUGHPUT_TARGET) -
    (alpha * latencySeconds) / Math.max(latencyThresholdSeconds, MIN_THRESHOLD_SECONDS);
}

/** Shares of the load up to this are no extreme imbalance. Source: spec/scheduler.md section 6.3. */
const EXTREME_SHARE = 0.8;

/** Efficiencies within these bounds are neither too low nor too high. Source: section 6.3. */
const EFFICIENCY_BOUNDS = [0.8, 1.5] as const;

/** Fewer decisions than this say nothing about balance. Source: section 6.4. */
const MIN_ACTIONS = 10;

/**
 * (f - 0.8)^2 where the share f = max load / sum of loads is above 0.8, else 0.
 * Source: spec/scheduler.md section 6.3, a later revision of the original code.
 *
 * @param loads Requests per replica, each >= 0.
 */
export function extremeImbalance(loads: readonly number[]): number {
  const total = loads.reduce((sum, load) => sum + load, 0);
  if (total === 0) return 0;
  return Math.max(0, Math.max(...loads) / total - EXTREME_SHARE) ** 2;
}

/**
 * How far the efficiency e = (throughput / latency) / (target / max(threshold, 0.5)) is below 0.8
 * (`shortfall`) or above 1.5 (`excess`); both 0 in between.
 * Source: spec/scheduler.md section 6.3, a later revision of the original code.
 */
export function efficiencyDeviation(
  throughput: number,
  latencySeconds: number,
  config: Pick<RewardConfig, "throughputTarget" | "latencyThresholdSeconds">,
): { readonly shortfall: number; readonly excess: number } {
  const { throughputTarget, latencyThresholdSeconds } = config;
  const wanted = throughputTarget / Math.max(latencyThresholdSeconds, MIN_THRESHOLD_SECONDS);
  const efficiency = throughput / (latencySeconds + 1e-8) / wanted;
  const [low, high] = EFFICIENCY_BOUNDS;
  return { shortfall: Math.max(0, low - efficiency), excess: Math.max(0, efficiency - high) };
}

/**
 * How evenly decisions are spread over n replicas: 2 (score - 0.5) with
 * score = 1 - std(shares) / (sqrt(n - 1) / n), so 1 when evenly, -1 when one replica gets all. 0 for
 * fewer than ten decisions or two replicas. Source: spec/scheduler.md section 6.4.
 *
 * @param counts Decisions for each replica.
 */
export function actionBalance(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total < MIN_ACTIONS || counts.length < 2) return 0;
  const worst = Math.sqrt(counts.length - 1) / counts.length;
  return 1 - (2 * populationStd(counts.map((count) => count / total))) / worst;
}

/** Relative distance of a value from its running average: (x - ema) / max(ema, 1e-6). */
export function relativeChange(value: number, ema: number): number {
  return (value - ema) / Math.max(ema, 1e-6);
}

/**
 * Bounds a raw reward the way one of the original's revisions does. `hybrid` has scales of its own;
 * every other mode uses those of delta and instant.
 *
 * - `none`: x;
 * - `tanh`: tanh(x / 3), hybrid tanh(x);
 * - `clip`: clip(x / 2, -3, 3), hybrid clip(x / 1.5, -4, 4);
 * - `softlog`: y = x, hybrid y = x / 1.2; y where |y| <= 4, else sign(y) (4 + ln(|y| - 3)).
 *
 * Source: spec/scheduler.md section 6.3.
 */
export function squashReward(
  raw: number,
  squash: RewardConfig["squash"],
  mode: RewardConfig["mode"],
): number {
  const hybrid = mode === "hybrid";
  switch (squash) {
    case "none":
      return raw;
    case "tanh":
      return Math.tanh(hybrid ? raw : raw / 3);
    case "clip":
      return hybrid ? Math.min(Math.max(raw / 1.5, -4), 4) : Math.min(Math.max(raw / 2, -3), 3);
    case "softlog": {
      const scaled = hybrid ? raw / 1.2 : raw;
      const size = Math.abs(scaled);
      return size <= 4 ? scaled : Math.sign(scaled) * (4 + Math.log(size - 3));
    }
  }
}
