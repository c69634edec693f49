/**
 * Attention of replicas to each other.
 *
 * @module
 */
import type { Rng } from "../../random/mod.ts";
import { splitColumns } from "../_split_columns.ts";
import { tf } from "../_tensorflow.ts";
import { orthogonal } from "../initialization.ts";
import { createDense, dense, type DenseParameters } from "./dense.ts";
import { createLayerNorm, layerNorm, type LayerNormParameters } from "./layer_norm.ts";
import type { ParameterSet } from "../parameters.ts";

/** Added to the scores of replicas that must not be looked at: their weight is exactly 0 in float32. */
const UNSEEN = 1e8;

/** Parameters of one attention layer over vectors of one size H. */
export interface ReplicaAttentionParameters {
  /** Parts that H is cut into; a divisor of H. */
  readonly heads: number;
  /** `[H, H]`, all heads side by side. */
  readonly query: DenseParameters;
  /** `[H, H]`; a bias would add the same to all scores of a replica, which softmax does not see. */
  readonly keyKernel: tf.Variable;
  /** `[H, H]`. */
  readonly value: DenseParameters;
  /** `[H, H]`. */
  readonly output: DenseParameters;
  /** Of the sum of input and output. */
  readonly norm: LayerNormParameters;
}

/** Adds the parameters of an attention layer below `name`; kernels start orthogonal with gain 1. */
export function createReplicaAttention(
  parameters: ParameterSet,
  name: string,
  { size, heads, rng }: { readonly size: number; readonly heads: number; readonly rng: Rng },
): ReplicaAttentionParameters {
  function square(part: string): DenseParameters {
    return createDense(parameters, `${name}.${part}`, {
      inputs: size,
      outputs: size,
      gain: 1,
      rng,
    });
  }
  return {
    heads,
    query: square("query"),
    keyKernel: parameters.add(`${name}.key.kernel`, [size, size], orthogonal(rng, [size, size], 1)),
    value: square("value"),
    output: square("output"),
    norm: createLayerNorm(parameters, `${name}.norm`, size),
  };
}

/**
 * Multi-head self-attention over the replicas of each cluster, with a residual connection:
 *
 * ```text
 * head_h(i) = sum_j softmax_j(q_i . k_j / sqrt(d)) v_j       d = H / heads
 * y_i       = LayerNorm(x_i + [head_1(i), ..., head_n(i)] O)
 * ```
 *
 * where j runs over the available replicas. Permuting the replicas permutes the result. Written
 * without transpositions and with products of plain matrices, so that it can be compiled
 * ({@linkcode ArrayFunction}).
 *
 * Source: Vaswani et al., "Attention is all you need" (2017), section 3.2; as a layer on sets, Lee
 * et al., "Set Transformer" (2019).
 *
 * @param input `[rows * replicaCount, H]`, replica by replica.
 * @param options.actionMask `[rows, replicaCount]`, 1 = available; absent when all are.
 * @returns `[rows * replicaCount, H]`.
 */
export function replicaAttention(
  input: tf.Tensor2D,
  { heads, query, keyKernel, value, output, norm }: ReplicaAttentionParameters,
  { replicaCount, actionMask }: {
    readonly replicaCount: number;
    readonly actionMask?: tf.Tensor2D | undefined;
  },
): tf.Tensor2D {
  const [height, size] = input.shape;
  const rows = height / replicaCount;
  const width = size / heads;
  function split(features: tf.Tensor2D): tf.Tensor3D[] {
    return splitColumns(features, heads).map((part) => part.as3D(rows, replicaCount, width));
  }
  // The same row of penalties for every replica that looks.
  const penalties = actionMask && tf.concat(
    Array<tf.Tensor2D>(replicaCount).fill(tf.mul(tf.sub(actionMask, 1), UNSEEN)),
    1,
  ).as3D(rows, replicaCount, replicaCount);
  const keys = split(tf.matMul(input, keyKernel as unknown as tf.Tensor2D));
  const values = split(dense(input, value));
  const looked = split(tf.mul(dense(input, query), 1 / Math.sqrt(width))).map((queries, h) => {
    const scores = tf.matMul(queries, keys[h]!, false, true);
    const weights = tf.softmax(penalties === undefined ? scores : tf.add(scores, penalties));
    return tf.matMul(weights, values[h]!).as2D(height, width);
  });
  return layerNorm(tf.add(input, dense(tf.concat(looked, 1), output)), norm);
}
