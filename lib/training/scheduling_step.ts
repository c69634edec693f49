/**
 * What a scheduling environment tells and remembers.
 *
 * @module
 */
import type { RequestCredit, RewardBreakdown } from "../reward/mod.ts";
import type { EpisodeDifficulty } from "./curriculum.ts";
import type { StepResult } from "./environment.ts";

/** What a step of a scheduling environment tells beyond its reward. */
export interface SchedulingStep extends StepResult {
  /** Simulated seconds between the decision taken and the next one (or the end). */
  readonly elapsedSeconds: number;
  /** The reward, taken apart. */
  readonly breakdown: RewardBreakdown;
}

/** Reward of an earlier decision (reward mode `request`). */
export interface DecisionCredit extends RequestCredit {
  /** Which decision of the environment's life routed the request, from 0. */
  readonly decisionIndex: number;
}

/** Sums over the whole life of an environment, for logs: take differences. */
export interface EnvironmentTotals {
  /** Episodes begun. */
  readonly episodeCount: number;
  /** Steps taken. */
  readonly decisionCount: number;
  /** Simulated seconds between decisions. */
  readonly simulatedSeconds: number;
  /** Requests completed. */
  readonly completedCount: number;
  /** Their end-to-end latencies in seconds, summed. */
  readonly latencySumSeconds: number;
}

/** A scheduling environment in the middle of an episode, as plain data. */
export interface SchedulingEnvironmentState {
  /** Episode under way, from 0. */
  readonly episodeIndex: number;
  /** Actions taken in it. */
  readonly actions: readonly number[];
  /** Totals when it began. */
  readonly totalsAtReset: EnvironmentTotals;
  /** What it is like. */
  readonly difficulty: EpisodeDifficulty;
}
