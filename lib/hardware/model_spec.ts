/**
 * The architecture of a served model.
 *
 * @module
 */
import { ConfigError } from "../support/mod.ts";
import catalogue from "../../data/hardware/models.json" with { type: "json" };

/** A dense decoder-only transformer. */
export interface ModelSpec {
  /** Hugging Face name. */
  readonly name: string;
  /** Transformer layers. */
  readonly layers: number;
  /** Query heads. */
  readonly qHeads: number;
  /** Key/value heads: fewer than `qHeads` means grouped-query attention. */
  readonly kvHeads: number;
  /** Width of one head. */
  readonly headDim: number;
  /** Width of the residual stream. */
  readonly embeddingDim: number;
  /** Width of the hidden layer of the MLP. */
  readonly mlpHiddenDim: number;
  /** Whether the MLP has a gate (three matrices instead of two). */
  readonly gatedMlp: boolean;
  /** Whether attention and MLP have a norm each (false: one norm feeds both, as in phi-2). */
  readonly postAttentionNorm: boolean;
  /** Rows of the embedding and of the output matrix. */
  readonly vocabSize: number;
  /** Longest sequence the model was made for, in tokens. */
  readonly maxPositions: number;
  /** Whether the model can be split over several GPUs. */
  readonly tensorParallel: boolean;
}

/** Names that {@linkcode getModel} knows. */
export const modelNames: readonly string[] = catalogue.models.map((model) => model.name);

/**
 * Looks up a model of the catalogue `data/hardware/models.json`.
 *
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
export function getModel(name: string): ModelSpec {
  const model = catalogue.models.find((candidate) => candidate.name === name);
  if (model === undefined) throw new ConfigError("model", name, `one of ${modelNames.join(", ")}`);
  return model;
}
