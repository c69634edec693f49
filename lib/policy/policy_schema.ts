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
});

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

/** Any network's configuration. */
export type PolicyConfig = z.infer<typeof policySchema>;
/** Configuration of the document's network. */
export type ActorCriticConfig = z.infer<typeof actorCriticSchema>;
/** Configuration of the separate feed-forward trunks. */
export type MlpConfig = z.infer<typeof mlpSchema>;
/** Configuration of the permutation-equivariant scorer. */
export type ReplicaScorerConfig = z.infer<typeof replicaScorerSchema>;
