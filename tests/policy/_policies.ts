import {
  createPolicy,
  type Policy,
  type PolicyConfig,
  policySchema,
} from "../../lib/policy/mod.ts";
import { Rng } from "../../lib/random/mod.ts";

/** Small layouts for fast tests: 3 replicas of 4 features and 2 global ones. */
export const REPLICA_LAYOUT = {
  replicaCount: 3,
  perReplicaSize: 4,
  globalSize: 2,
  loadFeatures: [0],
} as const;

/** Shape that fits {@linkcode REPLICA_LAYOUT}. */
export const SHAPE = {
  observationSize: 14,
  actionCount: 3,
  replicaLayout: REPLICA_LAYOUT,
} as const;

const tiny = { hiddenSize: 8, featureProjectionDim: 12, layerN: 1 } as const;

/** One small configuration of every kind and branch. */
export const CONFIGS: Readonly<Record<string, PolicyConfig>> = {
  "actor_critic decoupled": policySchema.parse({ kind: "actor_critic", ...tiny }),
  "actor_critic shared": policySchema.parse({
    kind: "actor_critic",
    ...tiny,
    decoupled: false,
    boundedLogits: false,
  }),
  "actor_critic feed-forward": policySchema.parse({ kind: "actor_critic", ...tiny, gruLayers: 0 }),
  "mlp tanh": policySchema.parse({ kind: "mlp", hiddenSizes: [8, 6] }),
  "mlp relu": policySchema.parse({ kind: "mlp", hiddenSizes: [8], activation: "relu" }),
  "replica_scorer": policySchema.parse({ kind: "replica_scorer", hiddenSize: 8 }),
  "replica_scorer separate": policySchema.parse({
    kind: "replica_scorer",
    hiddenSize: 8,
    sharedEncoder: false,
  }),
  "replica_scorer with attention": policySchema.parse({
    kind: "replica_scorer",
    hiddenSize: 8,
    attentionHeads: 2,
  }),
  "replica_scorer separate with attention and identity": policySchema.parse({
    kind: "replica_scorer",
    hiddenSize: 8,
    sharedEncoder: false,
    attentionHeads: 1,
    identitySize: 3,
  }),
  "replica_scorer with bounded logits": policySchema.parse({
    kind: "replica_scorer",
    hiddenSize: 8,
    boundedLogits: true,
  }),
};

/** A policy of {@linkcode CONFIGS} in the common shape. */
export function createSmallPolicy(name: string, seed = 1): Policy {
  return createPolicy(CONFIGS[name]!, SHAPE, new Rng(seed));
}

/** Standard normal float32 numbers. */
export function normals(count: number, seed: number): Float32Array {
  const rng = new Rng(seed);
  return Float32Array.from({ length: count }, () => rng.normal());
}
