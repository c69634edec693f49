// deno-lint-ignore-file no-console
/**
 * PPO on CartPole-v1 from end to end, with Stable-Baselines3's default hyper-parameters.
 *
 * ```sh
 * deno run -A bench/nn_cartpole.ts [--steps=102400] [--seed=1]
 * .torch/bin/pip install stable-baselines3 gymnasium
 * .torch/bin/python bench/peers/cartpole_sb3.py --steps=102400 --seed=1
 * ```
 *
 * Both print steps per second of training (environment, rollouts, updates) and the mean return of 20
 * greedy episodes afterwards.
 */
import { parseArgs } from "node:util";
import { policySchema } from "../lib/policy/mod.ts";
import { useSimdBackend } from "../lib/training/mod.ts";
import { createCartPole } from "../tests/training/_cart_pole.ts";
import { evaluateGreedy, train, type TrainingSetup } from "../tests/training/_train.ts";

/** Steps of a rollout, Stable-Baselines3's `n_steps`. */
const ROLLOUT_LENGTH = 2048;

const { values: options } = parseArgs({
  options: {
    steps: { type: "string", default: "102400" },
    seed: { type: "string", default: "1" },
  },
});
const updates = Math.ceil(Number(options.steps) / ROLLOUT_LENGTH);

const setup: TrainingSetup = {
  seed: Number(options.seed),
  environmentCount: 1,
  updates,
  policy: policySchema.parse({ kind: "mlp", hiddenSizes: [64, 64], activation: "tanh" }),
  ppo: {
    learningRate: 3e-4,
    rolloutLength: ROLLOUT_LENGTH,
    minibatchSize: 64,
    epochs: 10,
    gamma: 0.99,
    gaeLambda: 0.95,
    clipRatio: 0.2,
    entropyCoef: 0,
    // Ours multiplies half the squared error, Stable-Baselines3's 0.5 the whole.
    valueCoef: 1,
    klCoef: 0,
    targetKl: null,
    maxGradNorm: 0.5,
    advantageNormalization: "minibatch",
  },
  createEnvironment: createCartPole,
};

await useSimdBackend();
const start = performance.now();
const { policy } = train(setup);
const seconds = (performance.now() - start) / 1000;
const meanReturn = evaluateGreedy(policy, setup, { seed: setup.seed + 1000, episodes: 20 });
policy.dispose();
console.log(
  JSON.stringify({
    steps: updates * ROLLOUT_LENGTH,
    stepsPerSecond: Math.round(updates * ROLLOUT_LENGTH / seconds),
    meanReturn,
  }),
);
