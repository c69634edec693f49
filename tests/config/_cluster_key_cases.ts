/** For each key of a cluster, a change that must have an effect. */
import { getGpu, getModel } from "../../lib/hardware/mod.ts";
import { asJson, type KeyGroup, type Keys, prefixed } from "./_key_group.ts";

/** Little memory: requests wait for blocks and are preempted. */
const TIGHT = { "cluster.replicas.0.kvBlocks": 250, "cluster.replicas.1.kvBlocks": 250 };

const FAILURE = { kind: "fail", replica: 0, atFraction: [0.1, 0.2] };
const SLOWDOWN = { ...FAILURE, kind: "slowdown", factor: 3 };
const A100: Keys = asJson(getGpu("a100"));
const LLAMA: Keys = asJson(getModel("meta-llama/Llama-2-7b-hf"));

/** Coefficients unlike any GPU's. */
const EFFICIENCY: Keys = {
  matmulCompute: 0.5,
  matmulMemory: 0.5,
  elementwiseMemory: 0.5,
  prefillCompute: 0.5,
  prefillMaskedShare: 0.5,
  prefillContextSeconds: 1e-7,
  decodeMemory: 0.5,
  mixedDecodeCost: 1.2,
  layerSeconds: 1e-4,
  linkSeconds: 1e-4,
  linkBandwidth: 0.5,
  iterationSeconds: 0.01,
};

/**
 * Every key of a cluster once, but for the texts about GPUs of one's own.
 *
 * @param profile File with a timing profile, unlike the shipped one, of Llama-2-7b on an A100.
 */
export function clusterKeyGroups(profile: string): KeyGroup[] {
  return [
    {
      look: "simulation",
      to: {
        "cluster.model": "meta-llama/Meta-Llama-3-8B",
        "cluster.replicas.0.gpu": "h100",
        "cluster.replicas.0.count": 2,
        "cluster.replicas.0.tensorParallel": 2,
        "cluster.replicas.0.pipelineStages": 2,
        "cluster.replicas.0.kvBlocks": 250,
        "cluster.replicas.0.timer.kind": { kind: "profile" },
        "cluster.timer.kind": { kind: "profile" },
        "cluster.scheduler.kind": "vllm",
        "cluster.scheduler.batchSizeCap": 2,
        "cluster.scheduler.chunkTokens": 64,
      },
    },
    {
      look: "simulation",
      given: TIGHT,
      to: {
        "cluster.scheduler.blockSize": 32,
        "cluster.scheduler.watermarkFraction": 0.4,
        "cluster.compat": "vidur",
      },
    },
    {
      look: "simulation",
      given: {
        "cluster.scheduler.kind": "vllm_v1",
        "cluster.replicas.0.kvBlocks": 135,
        "cluster.replicas.1.kvBlocks": 135,
        "workload.lengths.promptToOutputRatio": 1,
      },
      to: {
        "cluster.scheduler.reserveWholePrompt": false,
        "cluster.scheduler.prefixCaching": false,
      },
    },
    {
      look: "simulation",
      given: { "cluster.scheduler.kind": "lightllm", "cluster.scheduler.blockSize": 1 },
      to: {
        "cluster.scheduler.maxTokensInBatch": 2000,
        "cluster.scheduler.maxWaitingIterations": 1,
      },
    },
    {
      look: "simulation",
      given: { "cluster.scheduler.kind": "orca" },
      to: { "cluster.scheduler.maxTokensPerRequest": 20_000, "cluster.memoryMarginFraction": 0.5 },
    },
    ...["cluster.timer", "cluster.replicas.0.timer"].flatMap((timer): KeyGroup[] => [
      {
        look: "simulation",
        given: {
          "cluster.replicas.0.tensorParallel": 2,
          [timer]: { kind: "analytic", efficiency: EFFICIENCY },
        },
        to: prefixed(
          `${timer}{analytic}.efficiency.`,
          Object.fromEntries(
            Object.entries(EFFICIENCY).map(([name, value]) => [name, (value as number) * 1.5]),
          ),
        ),
      },
      ...["profile", "auto"].map((kind): KeyGroup => ({
        look: "simulation",
        given: { "cluster.replicas": [{ gpu: "a100" }], [timer]: { kind } },
        to: { [`${timer}{${kind}}.files`]: [profile] },
      })),
    ]),
    {
      look: "simulation",
      given: {
        "cluster.replicas": [{ gpu: "a100", tensorParallel: 2 }],
        // Hardly more memory than the weights take.
        "cluster.gpus": [{ ...A100, memoryBytes: 15e9, efficiency: "h100" }],
        "cluster.memoryMarginFraction": 0.5,
      },
      to: prefixed("cluster.gpus.0.", {
        name: "another",
        fp16FlopsPerSecond: 1e13,
        memoryBytes: 80e9,
        memoryBandwidthBytesPerSecond: 1e11,
        linkBandwidthBytesPerSecond: 1e9,
        efficiency: "a40",
      }),
    },
    {
      look: "simulation",
      given: {
        "cluster.models": [{
          ...LLAMA,
          experts: { count: 4, perToken: 2, hiddenDim: 100 },
        }],
      },
      to: prefixed("cluster.models.0.", {
        name: "another",
        layers: 8,
        qHeads: 64,
        kvHeads: 8,
        headDim: 64,
        embeddingDim: 1024,
        mlpHiddenDim: 1000,
        gatedMlp: false,
        postAttentionNorm: false,
        vocabSize: 500_000,
        "experts.count": 3,
        "experts.perToken": 1,
        "experts.hiddenDim": 1000,
      }),
    },
    {
      look: "simulation",
      given: {
        "cluster.replicas.0.tensorParallel": 2,
        "cluster.models": [LLAMA],
      },
      to: { "cluster.models.0.tensorParallel": false },
    },
    {
      look: "simulation",
      given: { "incidents.events": [SLOWDOWN] },
      to: { "incidents.events.0.kind": FAILURE },
    },
    {
      look: "simulation",
      given: {
        "incidents.events": [FAILURE, { ...FAILURE, kind: "recover", atFraction: [0.8, 0.9] }],
      },
      to: {
        "incidents.shuffleReplicas": true,
        "incidents.events.0{fail|drain|recover}.replica": 1,
        "incidents.events.0{fail|drain|recover}.atFraction": [0.5, 0.6],
      },
    },
    {
      look: "simulation",
      given: { "incidents.events": [SLOWDOWN] },
      to: {
        "incidents.events.0{slowdown}.factor": 5,
        "incidents.events.0{slowdown}.replica": 1,
        "incidents.events.0{slowdown}.atFraction": [0.5, 0.6],
      },
    },
  ];
}
