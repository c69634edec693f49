import assert from "node:assert/strict";
import { normalizerSchema, RunningNormalizer } from "../../lib/state/mod.ts";
import { type Environment, type StepResult, VectorEnvironment } from "../../lib/training/mod.ts";
import { assertAllClose } from "../_helpers.ts";

/** Observation = 10 * episode + step; ends after `length` steps, by truncation if asked. */
function createCounter(length: number, isTruncated = false): Environment {
  let episode = 0;
  let stepCount = 0;
  return {
    observationSize: 1,
    actionCount: 3,
    reset(observation: Float32Array): void {
      episode++;
      stepCount = 0;
      observation[0] = 10 * episode;
    },
    step(action: number, observation: Float32Array): StepResult {
      observation[0] = 10 * episode + ++stepCount;
      const isOver = stepCount === length;
      return {
        reward: action,
        terminated: isOver && !isTruncated,
        truncated: isOver && isTruncated,
      };
    },
    actionMask(mask: Uint8Array): void {
      mask.fill(1);
      if (stepCount === 1) mask[2] = 0;
    },
  };
}

Deno.test("VectorEnvironment.step() resets ended episodes at once and hands out their last state", () => {
  const environments = new VectorEnvironment([createCounter(2), createCounter(3, true)]);
  environments.reset();
  assert.deepEqual([...environments.observations], [10, 10]);
  assert.deepEqual([...environments.episodeStarts], [1, 1]);

  environments.step([1, 2]);
  assert.deepEqual([...environments.observations], [11, 11]);
  assert.deepEqual([...environments.episodeStarts], [0, 0]);
  assert.deepEqual([...environments.actionMasks], [1, 1, 0, 1, 1, 0]);

  const second = environments.step([1, 0]);
  assert.deepEqual([...environments.observations], [20, 12]);
  assert.deepEqual([...environments.episodeStarts], [1, 0]);
  assert.deepEqual([...environments.actionMasks], [1, 1, 1, 1, 1, 1]);
  assert.deepEqual([...second.rewards], [1, 0]);
  assert.deepEqual([...second.terminated], [1, 0]);
  assert.deepEqual([...second.truncated], [0, 0]);
  assert.equal(second.finalObservations[0], 12);
  assert.ok(second.discounts.every(Number.isNaN));

  const third = environments.step([0, 1]);
  assert.deepEqual([...environments.observations], [21, 20]);
  assert.deepEqual([...third.truncated], [0, 1]);
  assert.equal(third.finalObservations[1], 13);
});

Deno.test("VectorEnvironment.takeEpisodes() hands out ended episodes once, in the order of their ends", () => {
  const environments = new VectorEnvironment([createCounter(3), createCounter(2)]);
  environments.reset();
  for (let i = 0; i < 3; i++) environments.step([1, 2]);
  assert.deepEqual(environments.takeEpisodes(), [
    { environmentIndex: 1, totalReward: 4, length: 2 },
    { environmentIndex: 0, totalReward: 3, length: 3 },
  ]);
  assert.deepEqual(environments.takeEpisodes(), []);
});

Deno.test("VectorEnvironment with a normaliser updates it with every observation to act on", () => {
  const options = normalizerSchema.parse({ shareReplicas: false });
  const normalizer = new RunningNormalizer(1, options);
  const environments = new VectorEnvironment([createCounter(1), createCounter(1)], { normalizer });
  environments.reset();
  const step = environments.step([0, 0]);
  // seen: 10, 10, 20, 20, with mean 15 and sample deviation sqrt(100 / 3)
  const deviation = Math.sqrt(100 / 3);
  assertAllClose(environments.observations, [5 / deviation, 5 / deviation], { atol: 1e-6 });
  // the final 11 was scaled with what was known then (10, 10; floor 1 % of the mean) and clipped
  assertAllClose(step.finalObservations, [5, 5], { atol: 0 });
  normalizer.freeze();
  const [mean] = normalizer.means();
  environments.step([0, 0]);
  assert.equal(normalizer.means()[0], mean);
});

Deno.test("VectorEnvironment refuses environments of different shapes and impossible actions", () => {
  const odd = { ...createCounter(1), actionCount: 2 };
  assert.throws(() => new VectorEnvironment([createCounter(1), odd]), {
    name: "RangeError",
    message:
      "Cannot create a vector environment: every environment must have 1 features and 3 actions, or the same layout for another number of replicas, current value is 1 and 2",
  });
  assert.throws(() => new VectorEnvironment([]), { name: "RangeError" });
  const environments = new VectorEnvironment([createCounter(1)]);
  environments.reset();
  for (const actions of [[3], [-1], [0.5], []]) {
    assert.throws(() => environments.step(actions), {
      name: "RangeError",
      message: `Cannot step: actions must be integers in [0, 3), current value is ${actions[0]}`,
    });
  }
});

Deno.test("VectorEnvironment.step() refuses a reward that is not finite", () => {
  const broken: Environment = {
    ...createCounter(1),
    step: () => ({ reward: NaN, terminated: false, truncated: false }),
  };
  const environments = new VectorEnvironment([broken]);
  environments.reset();
  assert.throws(() => environments.step([0]), {
    name: "RangeError",
    message: "Cannot step environment 0: reward must be finite, current value is NaN",
  });
});
