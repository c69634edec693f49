/**
 * Which reward teaches routing? The three of the document, on system metrics, and two that are
 * about requests, on a heterogeneous cluster at about four fifths of its capacity, against the
 * usual heuristics on held-out arrivals. reward_modes_full.ts asks the same of several clusters.
 *
 * Run with: deno task sweep experiments/reward_modes.ts
 *
 * @module
 */
import { defineSweep, type SweepDefinition } from "@signalbox/signalbox/sweep";

/**
 * Arrivals per second: 82 % of the 17 that `deno task capacity` finds for one H100, one A100 and two
 * A40 (least_outstanding, 99th percentile of the scheduling delay at most 5 s).
 */
const RATE_PER_SECOND = 14;

const sweep: SweepDefinition = defineSweep({
  name: "reward_modes",
  description:
    "PPO under the reward modes delta, instant and hybrid (on windowed throughput and latency), " +
    "sojourn (minus the time that requests spend in the system) and request (each request's own " +
    "latency plus the delay it causes others), against heuristics. One H100, one A100 and two A40 " +
    "serve Llama-2-7B to traffic like the Azure 2023 conversation trace, at about 80 % load. No " +
    "learned policy is told a GPU's speed or an output's length.",
  // The preset default for everything else. Its discount is per decision, as the document has it; per
  // second (training.discountTauSeconds) suits delta and sojourn better and leads instant and hybrid
  // astray.
  base: {
    cluster: { replicas: [{ gpu: "h100" }, { gpu: "a100" }, { gpu: "a40", count: 2 }] },
    workload: { kind: "fitted", ratePerSecond: RATE_PER_SECOND },
    reward: { throughputTarget: RATE_PER_SECOND },
    evaluation: { seeds: [1, 2, 3, 4, 5], requests: 3000, sampling: ["greedy", "sampled"] },
  },
  grid: { "reward.mode": ["delta", "instant", "hybrid", "sojourn", "request"] },
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
    set: {
      "training.decisions": 40_960,
      "evaluation.seeds": [1, 2],
      "evaluation.requests": 1000,
      "evaluation.sampling": ["greedy"],
    },
    seeds: [1],
  },
});

export default sweep;
