/** Numbers of a training run in plain words. Source: spec/scheduler.md section 14.5. */
import type { UpdateRow } from "./_run_status.ts";

/** A number and what to think of it. */
export interface Reading {
  /** What it is. */
  readonly name: string;
  /** Value in the last update; null = there is none. */
  readonly value: number | null;
  /** What that means, empty where it depends on the task. */
  readonly meaning: string;
  /** Where it went in the last five updates, empty before the second. */
  readonly trend: string;
}

/** Updates that a trend is taken over. */
const TREND_UPDATES = 5;

/** A change below this share of the values' size is none. */
const FLAT_SHARE = 0.01;

/** Reads the last update and the way to it. */
export function readUpdatesInWords(updates: readonly UpdateRow[]): Reading[] {
  const last = updates.at(-1);
  if (last === undefined) return [];
  const reading = (name: string, of: (row: UpdateRow) => number | null, meaning = ""): Reading => ({
    name,
    value: of(last),
    meaning,
    trend: trendOf(updates.slice(-TREND_UPDATES).map(of)),
  });
  return [
    reading("mean E2E (s)", (row) => row.latency_mean_seconds),
    reading("p99 E2E (s)", (row) => row.latency_p99_seconds),
    reading("reward", (row) => row.reward_mean),
    reading("policy loss", (row) => row.policy_loss, policyLossMeaning(last.policy_loss)),
    reading("value loss", (row) => row.value_loss),
    reading(
      "entropy",
      (row) => row.entropy,
      entropyMeaning(last.entropy, last.action_shares.length),
    ),
    reading("KL", (row) => row.approx_kl, klMeaning(last.approx_kl)),
    reading("clip fraction", (row) => row.clip_fraction, clipMeaning(last.clip_fraction)),
    reading(
      "explained variance",
      (row) => row.explained_variance,
      varianceMeaning(last.explained_variance),
    ),
    reading("gradient norm", (row) => row.grad_norm),
    reading("learning rate", (row) => row.learning_rate),
    reading("temperature", (row) => row.temperature),
  ];
}

function policyLossMeaning(loss: number): string {
  return loss >= -0.02 && loss <= 0.01 ? "usual" : "unusual: expected in -0.02 to 0.01";
}

/** The source's limits 1 and 0.5 nat are for four replicas: shares of ln 4 here. */
function entropyMeaning(entropy: number, replicaCount: number): string {
  if (replicaCount < 2) return "nothing to choose";
  const scaled = entropy * Math.log(4) / Math.log(replicaCount);
  if (scaled > 1) return "exploring";
  return scaled >= 0.5 ? "moderate" : "converged";
}

function klMeaning(kl: number): string {
  return kl > 0.01 ? "too fast: above 0.01" : "steady";
}

function clipMeaning(fraction: number): string {
  if (fraction < 0.1) return "small steps: below 0.1";
  return fraction <= 0.3 ? "healthy" : "large steps: above 0.3";
}

function varianceMeaning(variance: number | null): string {
  if (variance === null) return "returns do not vary";
  if (variance > 0.5) return "good";
  return variance > 0 ? "weak" : "critic no better than the mean return";
}

/** Least-squares line through the values that exist, first to last. */
function trendOf(values: readonly (number | null)[]): string {
  const points = values.flatMap((y, x) => y === null || !Number.isFinite(y) ? [] : [{ x, y }]);
  if (points.length < 2) return "";
  const mean = (of: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)];
  const slope = mean(({ x, y }) => (x - meanX) * (y - meanY)) / mean(({ x }) => (x - meanX) ** 2);
  const change = slope * (points.at(-1)!.x - points[0]!.x);
  if (Math.abs(change) <= FLAT_SHARE * mean(({ y }) => Math.abs(y))) return "flat";
  return change > 0 ? "rising" : "falling";
}
