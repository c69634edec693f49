import { curriculumSchema, parseExperimentConfig } from "../../lib/config/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import {
  curriculumPosition,
  type EpisodeDifficulty,
  openScenario,
  SchedulingEnvironment,
  type SchedulingStep,
} from "../../lib/training/mod.ts";
import { assertAllClose } from "../_helpers.ts";
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

const scenario = await openScenario(parseExperimentConfig({ training: { episodeRequests: 60 } }));

/** An environment in which every episode that begins is as hard as `difficulty` says at that time. */
function environmentOf(
  difficulty: () => Partial<EpisodeDifficulty>,
  mode: "instant" | "sojourn" = "sojourn",
): SchedulingEnvironment {
  return new SchedulingEnvironment({
    replicas: scenario.replicas,
    createWorkload: (_episode, rng) => scenario.trainingWorkload(rng),
    rng: new Rng(1),
    state: scenario.config.state,
    reward: { ...scenario.config.reward, mode, latencyThresholdSeconds: 0.5 },
    difficulty: () => ({ ...TASK, ...difficulty() }),
  });
}

/** The steps of one episode that chooses replicas in turn. */
function playEpisode(environment: SchedulingEnvironment): SchedulingStep[] {
  const observation = new Float32Array(environment.observationSize);
  environment.reset(observation);
  const steps: SchedulingStep[] = [];
  do steps.push(environment.step(steps.length % environment.actionCount, observation)); while (
    !steps.at(-1)!.truncated
  );
  return steps;
}

function elapsedSeconds(steps: readonly SchedulingStep[]): number[] {
  return steps.map((step) => step.elapsedSeconds);
}

Deno.test("SchedulingEnvironment brings the same requests at a multiple of the rate", () => {
  const easy = elapsedSeconds(playEpisode(environmentOf(() => ({ rateScale: 0.5 }))));
  const hard = elapsedSeconds(playEpisode(environmentOf(() => ({}))));
  // Times are differences of numbers up to a minute.
  assertAllClose(easy, hard.map((seconds) => 2 * seconds), { atol: 1e-12 });
});

Deno.test("SchedulingEnvironment scales rewards below 0 and leaves the terms alone", () => {
  const scaled = playEpisode(environmentOf(() => ({ rewardPenaltyScale: 0.25 })));
  const plain = playEpisode(environmentOf(() => ({})));
  assert.ok(plain.some(({ reward }) => reward < 0));
  assert.deepEqual(
    scaled.map(({ reward }) => reward),
    plain.map(({ reward }) => reward < 0 ? 0.25 * reward : reward),
  );
  assert.deepEqual(
    scaled.map(({ breakdown }) => breakdown.rawReward),
    plain.map(({ breakdown }) => breakdown.rawReward),
  );
});

Deno.test("SchedulingEnvironment forgives latency up to a multiple of the threshold", () => {
  const strict = playEpisode(environmentOf(() => ({}), "instant"));
  const lenient = playEpisode(environmentOf(() => ({ latencyThresholdScale: 1000 }), "instant"));
  assert.ok(strict.some(({ breakdown }) => breakdown.thresholdTerm < 0));
  assert.ok(lenient.every(({ breakdown }) => breakdown.thresholdTerm === 0));
});

Deno.test("SchedulingEnvironment.restore() keeps the difficulty that the episode began with", () => {
  const difficulty = { rateScale: 0.5, latencyThresholdScale: 1, rewardPenaltyScale: 0.25 };
  let current: Partial<EpisodeDifficulty> = difficulty;
  const environment = environmentOf(() => current);
  const observation = new Float32Array(environment.observationSize);
  environment.reset(observation);
  for (let i = 0; i < 20; i++) environment.step(i % 4, observation);
  current = {};
  const saved = JSON.parse(JSON.stringify(environment));
  assert.deepEqual(saved.difficulty, difficulty);
  const copy = environmentOf(() => current);
  const copied = new Float32Array(environment.observationSize);
  copy.restore(saved, copied);
  assert.deepEqual(copied, observation);
  assert.deepEqual(copy.step(1, copied), environment.step(1, observation));
  assert.deepEqual(copied, observation);
  copy.reset(copied);
  assert.deepEqual(JSON.parse(JSON.stringify(copy)).difficulty, TASK);
});
