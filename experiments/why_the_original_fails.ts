/**
 * Why did the scheduler that this project re-implements never beat random routing? Starts from what
 * works and brings its faults back, one at a time and then all together, against heuristics on
 * held-out arrivals. The whole takes about ten minutes on two cores; `--set fault="flat net"` looks
 * at one fault, `--quick` (one update each) shows only that everything runs.
 *
 * `lor_queue_only` sends what finds no queue to replica 0, which happens to be the H100 here.
 *
 * Run with: deno task sweep experiments/why_the_original_fails.ts
 *
 * @module
 */
import { policySchema } from "@signalbox/signalbox/policy";
import { getScenario, scenarioSettings } from "@signalbox/signalbox/scenarios";
import { defineSweep, type SweepDefinition, type SweepVariant } from "@signalbox/signalbox/sweep";

const scenario = scenarioSettings(getScenario("mixed"), 75);
const { ratePerSecond } = scenario.workload;

/** Every decision is paid by the system's metrics when the next request arrives. */
const ONE_STEP_CREDIT = {
  "reward.mode": "hybrid",
  "reward.throughputTarget": ratePerSecond,
} satisfies SweepVariant;

/** Throughput and latency are averages since the simulation began. */
const LIFETIME_METRICS = {
  "state.metrics.scope": "lifetime",
  "reward.metrics.scope": "lifetime",
} satisfies SweepVariant;

/** The controller of spec/scheduler.md section 8; half of all decisions are made in a pulse. */
const PULSES = { "training.temperature.mode": "pulse" } satisfies SweepVariant;

/** The rollouts and the optimiser of the document. */
const ONE_ENVIRONMENT = {
  "training.environments": 1,
  "ppo.rolloutLength": 32,
  "ppo.minibatchSize": 32,
  "ppo.epochs": 8,
  "ppo.learningRate": 5e-3,
  "ppo.learningRateSchedule": "constant",
} satisfies SweepVariant;

/** The document's network, smaller, with its head as it should be. */
const RECURRENT = {
  policy: policySchema.parse({
    kind: "actor_critic",
    hiddenSize: 32,
    featureProjectionDim: 64,
    layerN: 0,
    gruLayers: 1,
    boundedLogits: false,
  }),
  "ppo.sequenceLength": 16,
} satisfies SweepVariant;

/** Single decisions, shuffled, all from the hidden state that the rollout ended in. */
const STATE_AFTER_ROLLOUT = {
  "ppo.sequenceLength": 1,
  "ppo.faults.sequenceStates": "afterRollout",
} satisfies SweepVariant;

/** Stored log-probabilities at the temperature of the decision, new ones at 1. */
const UPDATE_AT_ONE = { "ppo.faults.updateTemperature": "one" } satisfies SweepVariant;

const sweep: SweepDefinition = defineSweep({
  name: "why_the_original_fails",
  description: "PPO that works (per-request credit, 16 simulations, shared scorer that starts as " +
    "least-outstanding-requests), and the same with faults of the original scheduler brought back " +
    "one at a time, all together, and as the document's own settings (preset seed). One H100, one " +
    `A100 and two A40 at 75 % of their capacity (${ratePerSecond} requests/s); no fault touches ` +
    "the simulator or the arrivals.",
  base: {
    ...scenario,
    training: { decisions: 98_304 },
    evaluation: { seeds: [1, 2, 3, 4, 5], requests: 1500, sampling: ["greedy", "sampled"] },
  },
  grid: {},
  variants: {
    fault: {
      none: {},
      "one-step credit": ONE_STEP_CREDIT,
      "one-step credit on lifetime metrics": { ...ONE_STEP_CREDIT, ...LIFETIME_METRICS },
      "bounded logits": { "policy.boundedLogits": true },
      "temperature pulses": PULSES,
      "temperature pulses, updates at 1": { ...PULSES, ...UPDATE_AT_ONE },
      "one environment, tiny rollouts": ONE_ENVIRONMENT,
      "starts from waiting counts": { "state.loadCounts": "waiting" },
      "flat net": { policy: policySchema.parse({ kind: "mlp" }) },
      "recurrent net": RECURRENT,
      "recurrent net, state after rollout": { ...RECURRENT, ...STATE_AFTER_ROLLOUT },
      "all of them": {
        ...ONE_STEP_CREDIT,
        ...LIFETIME_METRICS,
        ...PULSES,
        ...UPDATE_AT_ONE,
        ...ONE_ENVIRONMENT,
        ...RECURRENT,
        "policy.boundedLogits": true,
        ...STATE_AFTER_ROLLOUT,
      },
      "preset seed": { preset: "seed", "training.decisions": 40_000 },
    },
  },
  seeds: [1, 2, 3],
  baselines: ["random", "lor_queue_only", "least_outstanding", "lor_tbt"],
  quick: {
    set: {
      "training.decisions": 2048,
      "evaluation.seeds": [101],
      "evaluation.requests": 300,
      "evaluation.sampling": ["greedy"],
    },
    seeds: [1],
  },
});

export default sweep;
