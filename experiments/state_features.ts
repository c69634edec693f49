/**
 * What does a policy need to see? The document's layout with and without its history features, for
 * several numbers of described requests per replica.
 *
 * Run with: deno task sweep experiments/state_features.ts
 *
 * @module
 */
import { defineSweep, type SweepDefinition } from "@signalbox/signalbox/sweep";

const sweep: SweepDefinition = defineSweep({
  name: "state_features",
  description:
    "PPO on the document's state layout, its enhanced features on and off, describing 0, 2 or 4 " +
    "queued requests per replica; one H100, one A100 and two A40 at about 80 % load.",
  base: {
    cluster: { replicas: [{ gpu: "h100" }, { gpu: "a100" }, { gpu: "a40", count: 2 }] },
    workload: { kind: "fitted", ratePerSecond: 14 },
    state: { layout: "vidurrl" },
    policy: { kind: "replica_scorer", hiddenSize: 64, sharedEncoder: true },
    ppo: {
      gamma: 0.95,
      optimizers: "joint",
      criticMaxGradNorm: 1,
      returnNormalization: false,
    },
    training: { decisions: 160_000 },
  },
  grid: {
    "state.enhancedFeatures": [false, true],
    "state.maxQueueRequests": [0, 2, 4],
  },
  seeds: [1, 2],
  baselines: ["random", "least_outstanding", "lor_tbt", "speed_weighted_lor"],
  quick: {
    set: { "training.decisions": 16_384, "evaluation.seeds": [1, 2], "evaluation.requests": 1000 },
    seeds: [1],
  },
});

export default sweep;
