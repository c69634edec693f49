/**
 * Which reward teaches routing? The three of the document, on a heterogeneous cluster at about
 * three quarters of its capacity, against the usual heuristics on held-out arrivals.
 *
 * Run with: deno task sweep experiments/reward_modes.ts
 *
 * @module
 */
import { defineSweep, type SweepDefinition } from "@signalbox/signalbox/sweep";

const sweep: SweepDefinition = defineSweep({
  name: "reward_modes",
  description:
    "PPO under the reward modes delta, instant and hybrid against heuristics, on one H100, one " +
    "A100 and two A40 that serve conversation traffic at about 75 % load.",
  base: {
    cluster: { replicas: [{ gpu: "h100" }, { gpu: "a100" }, { gpu: "a40", count: 2 }] },
    workload: { kind: "fitted", ratePerSecond: 18 },
    state: { layout: "signalbox" },
    policy: { kind: "replica_scorer", hiddenSize: 32 },
    reward: { throughputTarget: 18 },
    ppo: {
      learningRate: 1e-3,
      learningRateSchedule: "linear",
      gamma: 0.99,
      gaeLambda: 0.97,
      clipRatio: 0.2,
      entropyCoef: 0.002,
      klCoef: 0,
      targetKl: 0.03,
      epochs: 3,
      rolloutLength: 128,
      minibatchSize: 512,
      maxGradNorm: 0.5,
      rewardScaling: true,
      rewardClip: 10,
    },
    training: { environments: 16, decisions: 40_000, episodeRequests: 1000 },
    evaluation: { seeds: [1, 2, 3, 4, 5], requests: 1000, sampling: ["greedy", "sampled"] },
  },
  grid: { "reward.mode": ["delta", "instant", "hybrid"] },
  seeds: [1, 2, 3],
  baselines: [
    "random",
    "round_robin",
    "power_of_two",
    "least_kv_tokens",
    "least_outstanding",
    "lor_tbt",
    "speed_weighted_lor",
  ],
  quick: {
    set: { "training.decisions": 4096, "evaluation.seeds": [1, 2], "evaluation.requests": 400 },
    seeds: [1],
  },
});

export default sweep;
