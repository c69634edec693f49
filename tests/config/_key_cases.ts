/** For each key of an experiment, a change that must have an effect. */
import { clusterKeyGroups } from "./_cluster_key_cases.ts";
import type { KeyGroup } from "./_key_group.ts";
import { workloadKeyGroups } from "./_workload_key_cases.ts";

/** Short requests for a fast and a slow replica that can just serve them; two updates. */
export const BASE = {
  cluster: { replicas: [{ gpu: "a100" }, { gpu: "a40" }] },
  workload: {
    kind: "synthetic",
    arrivals: { kind: "poisson", ratePerSecond: 25 },
    lengths: { kind: "uniform", minTokens: 200, maxTokens: 2000 },
  },
  policy: { kind: "mlp", hiddenSizes: [8] },
  reward: { mode: "sojourn" },
  ppo: { rolloutLength: 16, minibatchSize: 8, epochs: 2 },
  training: {
    environments: 2,
    decisions: 64,
    episodeRequests: 50,
    statisticsStabilizationSteps: 10,
  },
  evaluation: { seeds: [1], requests: 60 },
};

const RECURRENT = { kind: "actor_critic", hiddenSize: 8, featureProjectionDim: 8 };
const SCORER = { kind: "replica_scorer", hiddenSize: 8 };
const PULSE = { "training.temperature.mode": "pulse" };
const DOCUMENT = { "training.temperature.mode": "document" };

/** Files that keys name. */
export interface KeyFiles {
  /** A trace; other.csv lies beside it. */
  readonly trace: string;
  /** A timing profile, unlike the shipped one, of Llama-2-7b on an A100. */
  readonly profile: string;
  /** A policy that {@linkcode BASE} can begin with. */
  readonly checkpoint: string;
}

/** Every key once, but for those that nothing is meant to read. */
export function keyGroups({ trace, profile, checkpoint }: KeyFiles): KeyGroup[] {
  return [
    { look: "simulation", to: { "evaluation.seeds": [2], "evaluation.requests": 50 } },
    ...clusterKeyGroups(profile),
    ...workloadKeyGroups(BASE.workload, trace),
    {
      look: "training",
      to: {
        seed: 1,
        "state.layout": "vidurrl",
        "normalizer.clip": 0.1,
        "normalizer.epsilon": 10,
        "normalizer.relativeStdFloor": 5,
        "normalizer.minCount": 1000,
        "normalizer.shareReplicas": false,
        "state.replicaEmaSeconds": 0.5,
        "state.decodeLengths": "true",
        "reward.mode": "request",
        "policy.kind": SCORER,
        "policy{mlp}.hiddenSizes": [4],
        "policy{mlp}.activation": "relu",
        "ppo.learningRate": 0.1,
        "ppo.learningRateSchedule": "constant",
        "ppo.adamBeta1": 0.5,
        "ppo.adamBeta2": 0.5,
        "ppo.adamEpsilon": 0.01,
        "ppo.gamma": 0.5,
        "ppo.gaeLambda": 0.5,
        "ppo.clipRatio": 1e-4,
        "ppo.valueClipRatio": 1e-4,
        "ppo.valueCoef": 3,
        "ppo.entropyCoef": 1,
        "ppo.entropyCoefFinal": 1,
        "ppo.entropyFloor": 5,
        "ppo.entropyCeiling": 0.1,
        "ppo.entropyWarmupCoef": 1,
        "ppo.klCoef": 5,
        "ppo.targetKl": 1e-9,
        "ppo.epochs": 3,
        "ppo.rolloutLength": 32,
        "ppo.minibatchSize": 16,
        "ppo.advantageNormalization": "rollout",
        "ppo.maxGradNorm": 1e-3,
        "ppo.criticMaxGradNorm": 1e-3,
        "ppo.criticLearningRate": 0.1,
        "ppo.returnNormalization": false,
        "ppo.rewardScaling": false,
        "ppo.rewardClip": 0.01,
        "training.environments": 1,
        "training.decisions": 96,
        "training.episodeRequests": 20,
        "training.statisticsStabilizationSteps": 30,
        "training.discountTauSeconds": 0.1,
        "training.initialPolicy": checkpoint,
        "training.temperature.mode": "document",
        "training.tailLatency.windowSamples": 5,
        "training.tailLatency.thresholdSeconds": 1e-3,
      },
    },
    { look: "training", to: { "training.validation.everyUpdates": 2 } },
    {
      look: "training",
      given: { "training.validation.everyUpdates": 1 },
      to: { "training.validation.seeds": [7], "training.validation.requests": 30 },
    },
    {
      look: "training",
      // Steps so large that the last policy is not the best.
      given: {
        "training.validation.everyUpdates": 1,
        "training.validation.requests": 100,
        "training.decisions": 256,
        "ppo.learningRate": 0.3,
        "ppo.learningRateSchedule": "constant",
      },
      to: { "training.validation.keep": "last" },
    },
    {
      look: "training",
      given: { "ppo.entropyFloor": 5 },
      to: { "ppo.entropyFloorCoef": 9 },
    },
    {
      look: "training",
      given: { "ppo.entropyCeiling": 0.1, "ppo.entropyWarmupCoef": 1 },
      to: { "ppo.entropyCeilingCoef": 9, "ppo.entropyWarmupSteps": 1 },
    },
    {
      look: "training",
      given: { "training.initialPolicy": checkpoint },
      to: {
        "ppo.referenceKlCoef": 9,
        "ppo.referenceKlCoefFinal": 9,
        "ppo.referenceKlDecaySteps": 1,
      },
    },
    {
      look: "training",
      given: {
        "training.tailLatency.thresholdSeconds": 0.01,
        "training.tailLatency.minSamples": 1,
      },
      to: {
        "training.tailLatency.minSamples": 1000,
        "training.tailLatency.cooldownSeconds": 0,
      },
    },
    {
      look: "training",
      given: {
        "training.curriculum": [{ decisions: 40, rateScale: 0.5 }],
        "training.episodeRequests": 10,
        "reward.mode": "instant",
      },
      to: {
        "training.curriculum.0.decisions": 8,
        "training.curriculum.0.rateScale": 0.2,
        "training.curriculum.0.latencyThresholdScale": 0.001,
        "training.curriculum.0.rewardPenaltyScale": 9,
      },
    },
    {
      look: "training",
      given: {
        "training.environments": 3,
        "training.mixture": [{ rateScale: [0.5, 1] }, {}],
        "training.episodeRequests": 20,
      },
      to: {
        "training.mixture.0.cluster": { replicas: [{ gpu: "a40" }, { gpu: "a40" }] },
        "training.mixture.0.workload": {
          ...BASE.workload,
          arrivals: { kind: "poisson", ratePerSecond: 5 },
        },
        "training.mixture.0.incidents": {
          events: [{ kind: "slowdown", replica: 0, factor: 9, atFraction: [0, 0.1] }],
        },
        "training.mixture.0.weight": 0.4,
        "training.mixture.0.rateScale": [0.5, 0.6],
      },
    },
    {
      look: "training",
      given: { "state.layout": "vidurrl", "state.queueDelayFeatures": true },
      to: { "state.queueDelayMaxWaitSeconds": 0.2 },
    },
    {
      look: "training",
      given: { "state.layout": "vidurrl", "state.metrics.windowSeconds": 0.2 },
      to: {
        "state.enhancedFeatures": false,
        "state.maxQueueRequests": 0,
        "state.queueDelayFeatures": true,
        "state.historyWindow": 2,
        "state.qpsWindow": 2,
        "state.metrics.scope": "lifetime",
        "state.metrics.windowSeconds": 0.5,
      },
    },
    {
      look: "training",
      given: { "state.decodeLengths": "predicted" },
      to: { "state.predictionNoise": 3 },
    },

    {
      look: "training",
      given: {
        "reward.mode": "hybrid",
        "reward.latencyThresholdSeconds": 0.5,
        "reward.metrics.windowSeconds": 0.2,
      },
      to: {
        "reward.metrics.scope": "lifetime",
        "reward.metrics.windowSeconds": 0.5,
        "reward.loadBalanceWeight": 9,
        "reward.loadBalanceOn": "waiting",
        "reward.loadBalanceMeasure": "cvDamped",
        "reward.latencyThresholdSeconds": 9,
        "reward.throughputTarget": 9,
        "reward.absoluteWeight": 9,
        "reward.deltaWeight": 9,
        "reward.alpha": 9,
        "reward.beta": 9,
        "reward.gamma": 9,
        "reward.kappa": 9,
        "reward.sigma": 9,
        "reward.emaAlpha": 0.9,
        "reward.loadStdWeight": 9,
        "reward.squash": "tanh",
      },
    },
    {
      look: "training",
      given: { "reward.mode": "hybrid", "reward.throughputTarget": 1e6 },
      to: {
        "reward.extremeImbalanceWeight": 9,
        "reward.inefficiencyWeight": 9,
        "reward.actionBalanceWeight": 9,
      },
    },
    {
      look: "training",
      given: { "reward.mode": "hybrid", "reward.throughputTarget": 1e-3 },
      to: { "reward.overProvisionWeight": 9 },
    },
    {
      look: "training",
      given: { "reward.mode": "hybrid", "reward.actionBalanceWeight": 9 },
      to: { "reward.actionBalanceWindow": 10 },
    },
    {
      look: "training",
      given: { "reward.mode": "instant", "reward.latencyThresholdSeconds": 0.1 },
      to: {
        "reward.latencyWeight": 9,
        "reward.utilizationRangeWeight": 9,
        "reward.latencyPenaltyScale": 9,
      },
    },
    {
      look: "training",
      given: { "reward.mode": "request" },
      to: {
        "reward.externalityWeight": 0,
        "reward.occupancyWeight": 1,
        "reward.ttftWeight": 1,
      },
    },
    {
      look: "training",
      given: { "reward.mode": "request", "reward.ttftWeight": 9 },
      to: { "reward.ttftExternalityWeight": 0 },
    },

    {
      look: "training",
      given: { policy: RECURRENT },
      to: {
        "policy{actor_critic}.hiddenSize": 16,
        "policy{actor_critic}.featureProjectionDim": 16,
        "policy{actor_critic}.gruLayers": 1,
        "policy{actor_critic}.decoupled": false,
        "policy{actor_critic}.boundedLogits": false,
        "ppo.sequenceLength": 4,
      },
    },
    {
      look: "training",
      given: { policy: RECURRENT, "ppo.sequenceLength": 1 },
      to: { "ppo.faults.sequenceStates": "afterRollout" },
    },
    {
      look: "training",
      given: DOCUMENT,
      to: { "ppo.faults.updateTemperature": "one" },
    },
    {
      look: "training",
      given: { policy: { ...RECURRENT, decoupled: false } },
      to: { "policy{actor_critic}.layerN": 1 },
    },
    {
      look: "training",
      given: { policy: SCORER },
      to: {
        "policy{replica_scorer}.hiddenSize": 16,
        "policy{replica_scorer}.loadResidualSlope": 1,
        "policy{replica_scorer}.sharedEncoder": true,
        "policy{replica_scorer}.attentionHeads": 1,
        "policy{replica_scorer}.identitySize": 1,
        "policy{replica_scorer}.boundedLogits": true,
        "state.loadCounts": "waiting",
        "ppo.optimizers": "joint",
      },
    },
    {
      look: "training",
      given: { "state.layout": "signalbox", policy: { ...SCORER, sharedEncoder: false } },
      to: { "state.criticSeesOutputTokens": false },
    },

    {
      look: "training",
      given: { ...DOCUMENT, "reward.latencyThresholdSeconds": 0.1 },
      to: {
        "training.temperature.base": 2,
        "training.temperature.min": 2.9,
        "training.temperature.max": 1,
        "training.temperature.qpsSensitivity": 2,
        "training.temperature.latencySensitivity": 2,
        "training.temperature.targetThroughput": 1,
      },
    },
    {
      look: "training",
      given: { ...PULSE, "reward.latencyThresholdSeconds": 0.1 },
      to: {
        "training.temperature.pressureEmaAlpha": 0.9,
        "training.temperature.balanceWeight": 5,
        "training.temperature.pulses": false,
        "training.temperature.pulseInterval": 3,
        "training.temperature.pulseSteps": 2,
        "training.temperature.pulseMagnitude": 0.5,
        "training.temperature.stagnationThreshold": 9,
      },
    },
    {
      look: "training",
      given: {
        ...PULSE,
        "training.temperature.stagnationThreshold": 9,
        "training.temperature.pulseInterval": 100,
      },
      to: { "training.temperature.stagnationMemory": 1 },
    },
    { look: "trial", to: { "evaluation.sampling": ["greedy", "sampled"] } },
  ];
}
