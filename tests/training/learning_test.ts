/** The whole learner on small tasks; each threshold is out of reach of a do-nothing policy. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { registerSimdBackend } from "../../lib/kernels/mod.ts";
import { policySchema } from "../../lib/policy/mod.ts";
import { createCartPole } from "./_cart_pole.ts";
import { createIdentityEnvironment } from "./_identity_environment.ts";
import { createMemoryEnvironment } from "./_memory_environment.ts";
import { evaluateGreedy, train, type TrainingSetup } from "./_train.ts";

await tf.setBackend(registerSimdBackend());

const IDENTITY: TrainingSetup = {
  seed: 1,
  environmentCount: 1,
  // spec/practice.md section 3: 1,200 steps, epochs 4, steps 256, lr 2e-3, gamma 0.4
  updates: 4,
  policy: policySchema.parse({ kind: "mlp" }),
  ppo: {
    rolloutLength: 256,
    epochs: 4,
    learningRate: 2e-3,
    gamma: 0.4,
    clipRatio: 0.2,
    entropyCoef: 0,
    klCoef: 0,
    targetKl: null,
    maxGradNorm: 0.5,
  },
  createEnvironment: (rng) => createIdentityEnvironment(rng, { size: 2, episodeLength: 100 }),
};

Deno.test("PPO solves IdentityEnv: reward >= 90 of 100 after 1,024 steps", () => {
  const { policy, rollouts } = train(IDENTITY);
  assert.ok(rollouts[0]!.rewardMean < 0.7, "an untrained policy earns about 50 of 100");
  const reward = evaluateGreedy(policy, IDENTITY, { seed: 2, episodes: 2 });
  assert.ok(reward >= 90, `${reward}`);
  policy.dispose();
});

const CART_POLE: TrainingSetup = {
  seed: 1,
  environmentCount: 8,
  updates: 40, // 40,960 steps
  policy: policySchema.parse({ kind: "mlp" }),
  ppo: {
    rolloutLength: 128,
    minibatchSize: 256,
    epochs: 8,
    learningRate: 2e-3,
    learningRateSchedule: "linear",
    gamma: 0.98,
    gaeLambda: 0.9,
    clipRatio: 0.2,
    entropyCoef: 0,
    klCoef: 0,
    targetKl: null,
    maxGradNorm: 0.5,
  },
  createEnvironment: createCartPole,
};

Deno.test("PPO solves CartPole-v1: mean return >= 475 over 20 episodes", () => {
  const { policy, rollouts } = train(CART_POLE);
  const lengths = rollouts[0]!.episodes.map(({ length }) => length);
  const untrained = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  assert.ok(untrained < 60, `an untrained policy falls over after some 20 steps: ${untrained}`);
  const mean = evaluateGreedy(policy, CART_POLE, { seed: 99, episodes: 20 });
  assert.ok(mean >= 475, `${mean}`);
  policy.dispose();
});

const MEMORY: TrainingSetup = {
  seed: 3,
  environmentCount: 8,
  updates: 15,
  policy: policySchema.parse({
    kind: "actor_critic",
    hiddenSize: 12,
    layerN: 0,
    gruLayers: 1,
    featureProjectionDim: 12,
    boundedLogits: false,
  }),
  ppo: {
    rolloutLength: 16,
    epochs: 4,
    learningRate: 1e-2,
    clipRatio: 0.2,
    entropyCoef: 0.01,
    klCoef: 0,
    targetKl: null,
    minibatchSize: 64,
  },
  createEnvironment: (rng) => createMemoryEnvironment(rng, { delay: 2 }),
};

Deno.test("PPO with a GRU solves the memory task, without one it cannot", () => {
  const recurrent = train(MEMORY);
  const memory = evaluateGreedy(recurrent.policy, MEMORY, { seed: 4, episodes: 200 });
  assert.ok(memory >= 0.95, `${memory}`);
  recurrent.policy.dispose();

  const blind = {
    ...MEMORY,
    policy: { ...MEMORY.policy, gruLayers: 0 } as TrainingSetup["policy"],
  };
  const feedForward = train(blind);
  const guessing = evaluateGreedy(feedForward.policy, blind, { seed: 4, episodes: 200 });
  // 200 fair guesses stay below 0.5 + 4 * sqrt(0.25 / 200) = 0.64
  assert.ok(guessing <= 0.64, `${guessing}`);
  feedForward.policy.dispose();
});
