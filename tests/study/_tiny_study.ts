import type { Study } from "../../lib/study/mod.ts";

/** A study that runs in seconds. */
export const tinyStudy: Study = {
  name: "tiny",
  description: "Whether a study runs.",
  base: {
    training: {
      environments: 2,
      decisions: 128,
      episodeRequests: 40,
      validation: { everyUpdates: 1, requests: 20 },
    },
    ppo: { rolloutLength: 16, minibatchSize: 16, epochs: 1 },
    policy: { kind: "replica_scorer", hiddenSize: 4 },
    evaluation: { seeds: [1, 2], requests: 60, sampling: ["greedy", "sampled"] },
  },
  cells: { mixed: [50, 75], homogeneous: [75] },
  scenarioSet: { homogeneous: { "ppo.gamma": 0.9 } },
  policies: [
    { label: "ppo", seeds: [1, 2] },
    {
      label: "ppo early",
      seeds: [1],
      cells: { mixed: [75] },
      set: { "reward.ttftWeight": 2, "ppo.gamma": 0.8 },
    },
  ],
  baselines: ["round_robin", "least_outstanding", "speed_weighted_lor", "clairvoyant_least_work"],
  reference: "least_outstanding",
  targets: [
    {
      scenario: "mixed",
      loads: [50, 75],
      policy: "ppo",
      statistic: "e2eMean",
      against: "every heuristic",
      atMost: -0.1,
    },
  ],
  tradeOff: { scenario: "mixed", load: 75, policies: ["ppo", "ppo early"] },
  quick: {
    cells: { mixed: [75] },
    seeds: [7],
    set: { "training.decisions": 32, "ppo.gamma": 0.7 },
    without: ["ppo early"],
  },
};
