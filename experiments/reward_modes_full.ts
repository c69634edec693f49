/**
 * Which reward teaches routing, and where? The question of reward_modes.ts, asked of three clusters,
 * with the document's three modes on windowed metrics and on averages since the beginning. It takes
 * about a quarter of an hour on two cores; `--set scenario=mixed` looks at one cluster.
 *
 * Run with: deno task sweep experiments/reward_modes_full.ts
 *
 * @module
 */
import { getScenario, scenarioSettings } from "@signalbox/signalbox/scenarios";
import { defineSweep, type SweepDefinition, type SweepVariant } from "@signalbox/signalbox/sweep";
import rewardModes, { SMALL_STEP } from "./reward_modes.ts";

/** The scenario at 75 % of its capacity; hybrid's target is the rate that requests arrive at. */
function atThreeQuarters(name: string): SweepVariant {
  const { cluster, workload, incidents } = scenarioSettings(getScenario(name), 75);
  return { cluster, workload, incidents, "reward.throughputTarget": workload.ratePerSecond };
}

const LIFETIME = { "reward.metrics.scope": "lifetime" } satisfies SweepVariant;

const sweep: SweepDefinition = defineSweep({
  name: "reward_modes_full",
  description:
    "PPO under the document's reward modes delta, instant and hybrid, on throughput and latency of " +
    "the last seconds and, as the document has it, of all time; under sojourn (minus the time that " +
    "requests spend in the system) and request (each request's own latency plus the delay it causes " +
    "others). Three clusters at 75 % of their capacity, against heuristics. No learned policy is " +
    "told a GPU's speed or an output's length.",
  base: {
    training: { decisions: 204_800 },
    evaluation: { ...rewardModes.base.evaluation, requests: 2000 },
  },
  grid: {},
  variants: {
    scenario: {
      mixed: atThreeQuarters("mixed"),
      "two speeds": atThreeQuarters("two_speed"),
      homogeneous: atThreeQuarters("homogeneous"),
    },
    rewarded: {
      delta: { "reward.mode": "delta", ...SMALL_STEP },
      "delta, lifetime": { "reward.mode": "delta", ...SMALL_STEP, ...LIFETIME },
      instant: { "reward.mode": "instant", ...SMALL_STEP },
      "instant, lifetime": { "reward.mode": "instant", ...SMALL_STEP, ...LIFETIME },
      hybrid: { "reward.mode": "hybrid", ...SMALL_STEP },
      "hybrid, lifetime": { "reward.mode": "hybrid", ...SMALL_STEP, ...LIFETIME },
      sojourn: { "reward.mode": "sojourn", ...SMALL_STEP },
      request: { "reward.mode": "request" },
    },
  },
  seeds: rewardModes.seeds,
  baselines: ["random", "least_outstanding", "lor_tbt", "speed_weighted_lor"],
  quick: {
    set: {
      "training.decisions": 4096,
      "evaluation.seeds": [101],
      "evaluation.requests": 500,
      "evaluation.sampling": ["greedy"],
    },
    seeds: [1],
  },
});

export default sweep;
