/**
 * What a cloned policy should say, and how much each decision counts.
 *
 * @module
 */
import { ConfigError } from "../support/mod.ts";
import type { Demonstrations } from "./demonstration_folder.ts";
import type { PretrainingConfig } from "./pretraining_schema.ts";

/** Distributions to be cloned. */
export interface TeacherTargets {
  /** `[R, A]`, rows sum to 1. */
  readonly probabilities: Float32Array;
  /** `[R]`, entropy of each in nats. */
  readonly entropies: Float64Array;
}

/**
 * Target distributions of all decisions: softmax(-scores / temperature) where the router has scores
 * and soft targets are asked for, else all on the action taken.
 *
 * Source: spec/scheduler.md section 12, "Better".
 */
export function teacherTargets(
  { manifest, episodeRows, actions, scores }: Demonstrations,
  { targets, temperature, temperatures }: PretrainingConfig,
): TeacherTargets {
  const { episodes, replicaCount } = manifest;
  const probabilities = new Float32Array(actions.length * replicaCount);
  const entropies = new Float64Array(actions.length);
  episodes.forEach(({ router, hasScores, decisionCount }, e) => {
    const begin = episodeRows[e]!;
    for (let row = begin; row < begin + decisionCount; row++) {
      const offset = row * replicaCount;
      if (targets === "soft" && hasScores) {
        const costs = scores.subarray(offset, offset + replicaCount);
        const soft = softTargets(costs, temperatures[router] ?? temperature);
        probabilities.set(soft, offset);
        entropies[row] = soft.reduce((sum, p) => p > 0 ? sum - p * Math.log(p) : sum, 0);
      } else {
        probabilities[offset + actions[row]!] = 1;
      }
    }
  });
  return { probabilities, entropies };
}

/**
 * softmax(-costs / temperature); an infinite cost gives probability 0.
 *
 * @param costs At least one is finite.
 *
 * @example
 * ```ts
 * import { softTargets } from "@signalbox/signalbox/pretraining";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual([...softTargets([3, Infinity, 3], 1)], [0.5, 0, 0.5]);
 * ```
 */
export function softTargets(costs: ArrayLike<number>, temperature: number): Float64Array {
  let lowest = Infinity;
  for (let i = 0; i < costs.length; i++) lowest = Math.min(lowest, costs[i]!);
  const weights = Float64Array.from(costs, (cost) => Math.exp((lowest - cost) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/**
 * How much each decision of some episodes counts: all decisions of a router together as much as its
 * weight, the mean over the decisions being 1.
 *
 * Source: spec/scheduler.md section 12.2 (weight = total / (routers x count of the router)).
 *
 * @param episodes Which episodes.
 * @returns `[R]`, 0 for decisions of other episodes.
 * @throws {ConfigError} When all weights are 0.
 */
export function decisionWeights(
  { manifest, episodeRows, actions }: Pick<
    Demonstrations,
    "manifest" | "episodeRows" | "actions"
  >,
  episodes: readonly number[],
  weights: PretrainingConfig["weights"],
): Float64Array {
  const counts = new Map<string, number>();
  let total = 0;
  for (const e of episodes) {
    const { router, decisionCount } = manifest.episodes[e]!;
    counts.set(router, (counts.get(router) ?? 0) + decisionCount);
    total += decisionCount;
  }
  const weightSum = [...counts.keys()].reduce((sum, router) => sum + (weights[router] ?? 1), 0);
  if (weightSum === 0) {
    throw new ConfigError("pretraining.weights", weights, "> 0 for at least one router");
  }
  const result = new Float64Array(actions.length);
  for (const e of episodes) {
    const { router, decisionCount } = manifest.episodes[e]!;
    const each = (weights[router] ?? 1) * total / (weightSum * counts.get(router)!);
    result.fill(each, episodeRows[e]!, episodeRows[e]! + decisionCount);
  }
  return result;
}
