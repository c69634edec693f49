import assert from "node:assert/strict";
import { createPolicy, policySchema } from "../../lib/policy/mod.ts";
import { ppoSchema, RewardScaler } from "../../lib/ppo/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import {
  collectRollout,
  createRolloutBuffer,
  type Environment,
  type StepResult,
  VectorEnvironment,
} from "../../lib/training/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { besideConstants, withConstants } from "./_with_constants.ts";

const CONFIG = ppoSchema.parse({ rolloutLength: 4, gamma: 0.5, gaeLambda: 0.9 });

/** Observation = total steps so far / 10; episodes of 3 steps end as told; reward = step number. */
function createTicker(end: "terminated" | "truncated", discount?: number): Environment {
  let total = 0;
  let inEpisode = 0;
  return {
    observationSize: 1,
    actionCount: 2,
    reset(observation: Float32Array): void {
      inEpisode = 0;
      observation[0] = total / 10;
    },
    step(_action: number, observation: Float32Array): StepResult {
      observation[0] = ++total / 10;
      const isOver = ++inEpisode === 3;
      const result = {
        reward: inEpisode,
        terminated: isOver && end === "terminated",
        truncated: isOver && end === "truncated",
      };
      return discount === undefined ? result : { ...result, discount };
    },
  };
}

function createSetup(environment: Environment, kind: "mlp" | "actor_critic") {
  const config = kind === "mlp"
    ? policySchema.parse({ kind, hiddenSizes: [4] })
    : policySchema.parse({ kind, hiddenSize: 4, featureProjectionDim: 4, gruLayers: 1 });
  const policy = createPolicy(config, environment, new Rng(1));
  const environments = new VectorEnvironment([environment]);
  const buffer = createRolloutBuffer(policy, CONFIG, { environmentCount: 1 });
  return { policy, environments, buffer, options: { buffer, rng: new Rng(2), config: CONFIG } };
}

Deno.test("collectRollout() goes on where the last rollout ended", () => {
  const { policy, environments, buffer, options } = createSetup(createTicker("terminated"), "mlp");
  const first = collectRollout(policy, environments, options);
  assertAllClose(buffer.observations, [0, 0.1, 0.2, 0.3], { atol: 1e-7 });
  assert.deepEqual([...buffer.episodeStarts], [1, 0, 0, 1]);
  assert.deepEqual([...buffer.rewards], [1, 2, 3, 1]);
  assert.deepEqual([...buffer.terminated], [0, 0, 1, 0]);
  assert.deepEqual(first.episodes, [{ environmentIndex: 0, totalReward: 6, length: 3 }]);
  assert.equal(first.rewardMean, 7 / 4);
  assert.equal(first.rewardMin, 1);
  assert.equal(first.rewardMax, 3);
  assert.equal(first.decisionCount, 4);
  assert.equal(first.actionCounts[0]! + first.actionCounts[1]!, 4);

  collectRollout(policy, environments, options);
  assertAllClose(buffer.observations, [0.4, 0.5, 0.6, 0.7], { atol: 1e-7 });
  assert.deepEqual([...buffer.episodeStarts], [0, 0, 1, 0]);
  assert.deepEqual([...buffer.rewards], [2, 3, 1, 2]);
  policy.dispose();
});

Deno.test("collectRollout() bootstraps the last step with the value of the state it led to", () => {
  const { policy, environments, buffer, options } = createSetup(createTicker("terminated"), "mlp");
  collectRollout(policy, environments, options);
  const [next] = policy.predict(new Float32Array([0.4])).values;
  const { values, advantages, returns } = buffer;
  assertAllClose([advantages[3]!], [1 + 0.5 * next! - values[3]!], { atol: 1e-6 });
  assertAllClose([advantages[2]!], [3 - values[2]!], { atol: 1e-6 });
  assertAllClose([returns[3]!], [advantages[3]! + values[3]!], { atol: 1e-6 });
  policy.dispose();
});

Deno.test("collectRollout() values the state at which an episode was cut off, with its hidden state", () => {
  const { policy, environments, buffer, options } = createSetup(
    withConstants(createTicker("truncated")),
    "actor_critic",
  );
  collectRollout(policy, environments, options);
  let hiddenStates = policy.initialHiddenStates(1);
  for (const observation of [0, 0.1, 0.2]) {
    ({ hiddenStates } = policy.predict(besideConstants(observation), { hiddenStates }));
  }
  const [cut] = policy.predict(besideConstants(0.3), { hiddenStates }).values;
  const [forgetful] = policy.predict(besideConstants(0.3), {
    hiddenStates: policy.initialHiddenStates(1),
  }).values;
  assert.ok(Math.abs(cut! - forgetful!) > 1e-3, "the past matters");
  assert.deepEqual([...buffer.truncated], [0, 0, 1, 0]);
  assertAllClose(buffer.truncationValues, [0, 0, cut!, 0], { atol: 1e-6 });
  assertAllClose([buffer.advantages[2]!], [3 + 0.5 * cut! - buffer.values[2]!], { atol: 1e-6 });
  policy.dispose();
});

Deno.test("collectRollout() takes the environment's own discount where it gives one", () => {
  const plain = createSetup(createTicker("terminated"), "mlp");
  collectRollout(plain.policy, plain.environments, plain.options);
  assert.deepEqual([...plain.buffer.discounts], [0.5, 0.5, 0.5, 0.5]);
  const own = createSetup(createTicker("terminated", 0.25), "mlp");
  collectRollout(own.policy, own.environments, own.options);
  assert.deepEqual([...own.buffer.discounts], [0.25, 0.25, 0.25, 0.25]);
  plain.policy.dispose();
  own.policy.dispose();
});

Deno.test("collectRollout() stores temperatures and scaled rewards, and reports raw ones", () => {
  const { policy, environments, buffer, options } = createSetup(createTicker("terminated"), "mlp");
  const stats = collectRollout(policy, environments, {
    ...options,
    temperature: () => 2,
    rewardScaler: new RewardScaler({ environmentCount: 1, gamma: 0, clip: 2 }),
  });
  assert.deepEqual([...buffer.temperatures], [2, 2, 2, 2]);
  assert.equal(stats.temperatureMean, 2);
  assert.equal(stats.rewardMax, 3);
  // returns 1, 2: deviation .5; 1, 2, 3: sqrt(2/3); clipped to 2
  const expected = [1, 2, 2, 1 / Math.sqrt(11 / 16)];
  assertAllClose(buffer.rewards, expected, { atol: 1e-12 });
  policy.dispose();
});

Deno.test("collectRollout() scales rewards by returns that begin anew with every episode", () => {
  const scaled = (["terminated", "truncated"] as const).map((end) => {
    const { policy, environments, buffer, options } = createSetup(createTicker(end), "mlp");
    const rewardScaler = new RewardScaler({ environmentCount: 1, gamma: 0.9, clip: null });
    collectRollout(policy, environments, { ...options, rewardScaler });
    policy.dispose();
    return [...buffer.rewards];
  });
  // Rewards 1, 2, 3 and, in the next episode, 1.
  const returns = [1, 2.9, 5.61, 1];
  const mean = returns.reduce((a, b) => a + b) / 4;
  const variance = returns.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4;
  for (const rewards of scaled) {
    assertAllClose([rewards[3]!], [1 / Math.sqrt(variance)], { atol: 1e-12 });
  }
});

Deno.test("createRolloutBuffer() gives recurrent policies sequences, others single steps", () => {
  const recurrent = createSetup(createTicker("terminated"), "actor_critic");
  const feedForward = createSetup(createTicker("terminated"), "mlp");
  assert.equal(recurrent.buffer.shape.sequenceLength, 4);
  assert.equal(feedForward.buffer.shape.sequenceLength, 1);
  const halves = createRolloutBuffer(recurrent.policy, { ...CONFIG, sequenceLength: 2 }, {
    environmentCount: 1,
  });
  assert.equal(halves.shape.sequenceLength, 2);
  recurrent.policy.dispose();
  feedForward.policy.dispose();
});
