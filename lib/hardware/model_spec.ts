/**
 * The architecture of a served model.
 *
 * @module
 */
import { z } from "zod";
import { ConfigError } from "../support/mod.ts";
import catalogue from "../../data/hardware/models.json" with { type: "json" };

/** Experts beside or instead of a layer's MLP, of which every token passes a few. */
const expertsSchema = z.strictObject({
  count: z.int().min(1).describe("Experts of a layer."),
  perToken: z.int().min(1).describe("Experts that a token passes."),
  hiddenDim: z.int().min(1).describe("Width of the hidden layer of one expert."),
}).refine(({ count, perToken }) => perToken <= count, {
  message: "<= count",
  path: ["perToken"],
});

/** A decoder-only transformer with 16-bit weights, all layers alike. */
export const modelSpecSchema = z.strictObject({
  name: z.string().min(1).describe("Hugging Face name."),
  layers: z.int().min(1).describe("Transformer layers."),
  qHeads: z.int().min(1).describe("Query heads."),
  kvHeads: z.int().min(1)
    .describe("Key/value heads: fewer than qHeads means grouped-query attention."),
  headDim: z.int().min(1).describe("Width of one head."),
  embeddingDim: z.int().min(1).describe("Width of the residual stream."),
  mlpHiddenDim: z.int().min(0)
    .describe("Width of the hidden layer of the MLP that every token passes; 0 without one."),
  gatedMlp: z.boolean()
    .describe("Whether MLP and experts have a gate (three matrices instead of two)."),
  postAttentionNorm: z.boolean().describe(
    "Whether attention and MLP have a norm each (false: one norm feeds both, as in phi-2).",
  ),
  vocabSize: z.int().min(1).describe("Rows of the embedding and of the output matrix."),
  tensorParallel: z.boolean().describe("Whether the model can be split over several GPUs."),
  experts: expertsSchema.optional().describe("Mixture of experts; left out of dense models."),
});

/** A decoder-only transformer; see {@linkcode modelSpecSchema} for its fields. */
export type ModelSpec = Readonly<z.infer<typeof modelSpecSchema>>;

/** Names that {@linkcode getModel} knows. */
export const modelNames: readonly string[] = catalogue.models.map((model) => model.name);

/**
 * Looks up a model of the catalogue `data/hardware/models.json`.
 *
 * @param name Its Hugging Face name.
 * @param own Models beside those of the catalogue; they come first.
 * @throws {ConfigError} When there is no such model; the message lists those there are.
 *
 * @example
 * ```ts
 * import { getModel } from "@signalbox/signalbox/hardware";
 * import assert from "node:assert/strict";
 *
 * assert.equal(getModel("meta-llama/Llama-2-7b-hf").layers, 32);
 * ```
 */
export function getModel(name: string, own: readonly ModelSpec[] = []): ModelSpec {
  const models: readonly ModelSpec[] = [...own, ...catalogue.models];
  const model = models.find((candidate) => candidate.name === name);
  if (model !== undefined) return model;
  throw new ConfigError("model", name, `one of ${models.map((each) => each.name).join(", ")}`);
}
