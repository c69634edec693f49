import { defineSweep, type SweepDefinition } from "../../lib/sweep/mod.ts";

/** A real sweep, training included, that takes a second. */
export const tinySweep: SweepDefinition = defineSweep({
  name: "tiny",
  description: "Two reward modes on two replicas.",
  base: {
    cluster: { replicas: [{ gpu: "a100" }, { gpu: "a40" }] },
    workload: { kind: "fitted", ratePerSecond: 6 },
    state: { layout: "signalbox" },
    policy: { kind: "mlp", hiddenSizes: [8] },
    ppo: { rolloutLength: 16, minibatchSize: 32, epochs: 1 },
    training: { environments: 2, decisions: 64, episodeRequests: 40 },
    evaluation: { seeds: [1, 2], requests: 40, sampling: ["greedy", "sampled"] },
  },
  grid: { "reward.mode": ["delta", "hybrid"] },
  seeds: [1, 2],
  baselines: ["random", "least_outstanding"],
  quick: { set: { "training.decisions": 32 }, seeds: [9] },
});
