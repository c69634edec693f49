/**
 * Which task an episode is.
 *
 * @module
 */
import type { CurriculumConfig } from "../config/mod.ts";

/** How an episode differs from the configured task; 1 everywhere = not at all. */
export interface EpisodeDifficulty {
  /** Multiplies the arrival rate. */
  readonly rateScale: number;
  /** Multiplies the reward's latency threshold. */
  readonly latencyThresholdScale: number;
  /** Multiplies negative rewards. */
  readonly rewardPenaltyScale: number;
}

/** A place in a curriculum. */
export interface CurriculumPosition {
  /** Stage, from 0; the number of stages once all are done. */
  readonly stageIndex: number;
  /** Share of the stage that is done, in [0, 1]; 1 once all are done. */
  readonly stageProgress: number;
  /** What episodes that begin now are like. */
  readonly difficulty: EpisodeDifficulty;
}

/** The configured task itself. */
export const CONFIGURED_TASK: EpisodeDifficulty = Object.freeze({
  rateScale: 1,
  latencyThresholdScale: 1,
  rewardPenaltyScale: 1,
});

/**
 * The stage in force after so many decisions. Source: spec/scheduler.md section 6.5.
 *
 * @param decisions Decisions taken so far, over all environments, >= 0.
 *
 * @example Half the load for the first thousand decisions
 * ```ts
 * import { curriculumSchema } from "@signalbox/signalbox/config";
 * import { curriculumPosition } from "@signalbox/signalbox/training";
 * import assert from "node:assert/strict";
 *
 * const stages = curriculumSchema.parse([{ decisions: 1000, rateScale: 0.5 }]);
 * assert.equal(curriculumPosition(stages, 250).difficulty.rateScale, 0.5);
 * assert.equal(curriculumPosition(stages, 250).stageProgress, 0.25);
 * assert.equal(curriculumPosition(stages, 1000).difficulty.rateScale, 1);
 * ```
 */
export function curriculumPosition(
  stages: CurriculumConfig,
  decisions: number,
): CurriculumPosition {
  let begin = 0;
  for (const [stageIndex, stage] of stages.entries()) {
    if (decisions < begin + stage.decisions) {
      const { rateScale, latencyThresholdScale, rewardPenaltyScale } = stage;
      return {
        stageIndex,
        stageProgress: (decisions - begin) / stage.decisions,
        difficulty: { rateScale, latencyThresholdScale, rewardPenaltyScale },
      };
    }
    begin += stage.decisions;
  }
  return { stageIndex: stages.length, stageProgress: 1, difficulty: CONFIGURED_TASK };
}
