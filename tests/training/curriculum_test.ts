import { curriculumSchema } from "../../lib/config/mod.ts";
import { curriculumPosition } from "../../lib/training/mod.ts";
import assert from "node:assert/strict";

const STAGES = curriculumSchema.parse([
  { decisions: 100, rateScale: 0.5, rewardPenaltyScale: 0.25 },
  { decisions: 50, latencyThresholdScale: 2 },
]);
const TASK = { rateScale: 1, latencyThresholdScale: 1, rewardPenaltyScale: 1 };

Deno.test("curriculumPosition() goes through the stages by decisions", () => {
  const first = { rateScale: 0.5, latencyThresholdScale: 1, rewardPenaltyScale: 0.25 };
  const second = { rateScale: 1, latencyThresholdScale: 2, rewardPenaltyScale: 1 };
  assert.deepEqual(curriculumPosition(STAGES, 0), {
    stageIndex: 0,
    stageProgress: 0,
    difficulty: first,
  });
  assert.deepEqual(curriculumPosition(STAGES, 99).difficulty, first);
  assert.deepEqual(curriculumPosition(STAGES, 125), {
    stageIndex: 1,
    stageProgress: 0.5,
    difficulty: second,
  });
  assert.deepEqual(curriculumPosition(STAGES, 150), {
    stageIndex: 2,
    stageProgress: 1,
    difficulty: TASK,
  });
});

Deno.test("curriculumPosition() is the configured task when there are no stages", () => {
  assert.deepEqual(curriculumPosition([], 0).difficulty, TASK);
});
