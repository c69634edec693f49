/**
 * Configuration of the networks.
 *
 * @module
 */
import { z } from "zod";

const size = z.int().min(1).max(4096);

/** The document's recurrent network. */
const actorCriticSchema = z.strictObject({
  kind: z.literal("actor_critic"),
  hiddenSize: size.default(128).describe(
    "units of every hidden layer; spec/scheduler.md section 0",
  ),
  layerN: z.int().min(0).max(16).default(2).describe(
    "the shared MLP has 1 + layerN layers; spec/scheduler.md section 0",
  ),
  gruLayers: z.int().min(0).max(8).default(2).describe(
    "recurrent layers, 0 = none (then the critic has none either); spec/scheduler.md section 0",
  ),
  featureProjectionDim: size.default(256).describe(
    "width between the two projection layers; spec/scheduler.md section 3",
  ),
  decoupled: z.boolean().default(true).describe(
    "separate actor and critic branches after the GRU; spec/scheduler.md section 0",
  ),
  boundedLogits: z.boolean().default(true).describe(
    "LayerNorm and Tanh on the logits, as in the document. It caps the largest probability of 4 " +
      "actions at 0.71 (spec/scheduler.md section 4.4): false gives plain linear logits",
  ),
});

/** Two separate feed-forward trunks, as Stable-Baselines3's MlpPolicy. */
const mlpSchema = z.strictObject({
  kind: z.literal("mlp"),
  hiddenSizes: z.array(size).min(1).max(8).default([64, 64]).describe(
    "widths of both trunks; Stable-Baselines3, MlpPolicy",
  ),
  activation: z.enum(["tanh", "relu"]).default("tanh").describe("Stable-Baselines3, MlpPolicy"),
});

/** Permutation-equivariant scorer. */
const replicaScorerSchema = z.strictObject({
  kind: z.literal("replica_scorer"),
  hiddenSize: size.default(64).describe(
    "units of every hidden layer; as the prototype's nets of spec/practice.md section 9",
  ),
  loadResidualSlope: z.number().min(0).max(100).default(3).describe(
    "logits start as -slope * load feature, i.e. as least-outstanding-requests; 0 = off; " +
      "spec/practice.md section 9 gives 2-4",
  ),
  sharedEncoder: z.boolean().default(true).describe(
    "value and scores are computed from the same features; false: the value has encoders of its " +
      "own, so that its errors cannot move the policy's features",
  ),
  attentionHeads: z.int().min(0).max(16).default(0).describe(
    "heads with which encoded replicas look at each other, a divisor of hiddenSize; 0 = none, the " +
      "pooled context is all that a replica knows of others (spec/scheduler.md section 4.4)",
  ),
  identitySize: z.int().min(0).max(64).default(0).describe(
    "learned numbers of each replica, by its position; they tie the policy to one cluster size. " +
      "0 = none: hardly needed where times between tokens are seen (spec/practice.md section 9)",
  ),
  boundedLogits: z.boolean().default(false).describe(
    "LayerNorm and Tanh on the logits, for ablations: the document's head, which caps probabilities " +
      "and ties the policy to one cluster size (spec/scheduler.md section 4.4)",
  ),
}).refine(
  ({ hiddenSize, attentionHeads }) => attentionHeads === 0 || hiddenSize % attentionHeads === 0,
  {
    path: ["attentionHeads"],
    message: "a divisor of policy.hiddenSize",
  },
);

/**
 * Which network, and its sizes.
 *
 * @example
 * ```ts
 * import { policySchema } from "@signalbox/signalbox/policy";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(policySchema.parse({ kind: "mlp" }), {
 *   kind: "mlp",
 *   hiddenSizes: [64, 64],
 *   activation: "tanh",
 * });
 * ```
 */
export const policySchema: z.ZodDiscriminatedUnion<
  [typeof actorCriticSchema, typeof mlpSchema, typeof replicaScorerSchema]
> = z.discriminatedUnion("kind", [actorCriticSchema, mlpSchema, replicaScorerSchema]);

/**
 * Why the parameters of a network belong to one number of replicas.
 *
 * @returns A reason for an error message; undefined when the network serves any number of replicas.
 *
 * @example
 * ```ts
 * import { fixedSizeReason, policySchema } from "@signalbox/signalbox/policy";
 * import assert from "node:assert/strict";
 *
 * assert.equal(fixedSizeReason(policySchema.parse({ kind: "replica_scorer" })), undefined);
 * assert.match(fixedSizeReason(policySchema.parse({ kind: "mlp" }))!, /policy.kind mlp/);
 * ```
 */
export function fixedSizeReason(config: PolicyConfig): string | undefined {
  if (config.kind !== "replica_scorer") {
    return `policy.kind ${config.kind} has weights for every replica (replica_scorer shares them)`;
  }
  if (config.identitySize > 0) {
    return `policy.identitySize ${config.identitySize} gives every replica numbers of its own`;
  }
  if (config.boundedLogits) return "policy.boundedLogits has a gain for every replica";
  return undefined;
}

/** Any network's configuration. */
export type PolicyConfig = z.infer<typeof policySchema>;
/** Configuration of the document's network. */
export type ActorCriticConfig = z.infer<typeof actorCriticSchema>;
/** Configuration of the separate feed-forward trunks. */
export type MlpConfig = z.infer<typeof mlpSchema>;
/** Configuration of the permutation-equivariant scorer. */
export type ReplicaScorerConfig = z.infer<typeof replicaScorerSchema>;
