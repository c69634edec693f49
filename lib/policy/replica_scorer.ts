/**
 * A network that treats all replicas alike.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { HIDDEN_GAIN, POLICY_HEAD_GAIN, VALUE_HEAD_GAIN } from "./_gains.ts";
import { splitColumns } from "./_split_columns.ts";
import { tf } from "./_tensorflow.ts";
import { orthogonal } from "./initialization.ts";
import { createDense, dense, type DenseParameters } from "./layers/dense.ts";
import { createLayerNorm, layerNorm } from "./layers/layer_norm.ts";
import {
  createReplicaAttention,
  replicaAttention,
  type ReplicaAttentionParameters,
} from "./layers/replica_attention.ts";
import type {
  Network,
  NetworkInput,
  NetworkOutput,
  PolicyShape,
  ReplicaLayout,
} from "./network.ts";
import type { ParameterSet } from "./parameters.ts";
import { maximum } from "./piecewise.ts";
import type { ReplicaScorerConfig } from "./policy_schema.ts";

/** Stands in for minus infinity in the pooled maximum over available replicas. */
const UNAVAILABLE = 1e8;

/** The leading features that an encoder reads. */
interface EncoderView {
  /** Of every replica. */
  readonly perReplicaSize: number;
  /** Of the rest. */
  readonly globalSize: number;
}

/** What turns replicas and the rest of an observation into features. */
interface Encoder {
  readonly view: EncoderView;
  /** `[replicas, identitySize]`; absent where replicas have no identity. */
  readonly identity: tf.Variable | undefined;
  readonly replica: readonly DenseParameters[];
  /** Absent where replicas do not look at each other. */
  readonly attention: ReplicaAttentionParameters | undefined;
  /** Absent where nothing but replicas is observed. */
  readonly global: DenseParameters | undefined;
}

/** Features of an observation. */
interface Encoding {
  /** `[rows * replicas, hiddenSize]`. */
  readonly replicas: tf.Tensor2D;
  /** `[rows, contextSize]`, pooled. */
  readonly context: tf.Tensor2D;
}

/**
 * One shared encoder for every replica, one for the rest of the observation (cluster-wide features
 * and the request), a pooled context, and one shared scorer. With x_i the slice of replica i and g
 * the rest:
 *
 * ```text
 * e_i     = relu(relu(x_i W1) W2)            c = [relu(g W3), mean_i e_i, max_i e_i]
 * logit_i = relu([e_i, c] W4) W5 - slope * load_i
 * value   = relu(relu(c W6) W7) W8
 * ```
 *
 * (biases left out). With `sharedEncoder` off, the value's c is made by encoders of its own, so that
 * value and policy share no parameter. With `attentionHeads`, the e_i look at each other
 * ({@linkcode replicaAttention}) before anything else is made of them. With `identitySize`, x_i also
 * holds learned numbers of replica i. Features at the end of x_i and g that are marked for the value
 * only (`criticReplicaSize`, `criticGlobalSize`) never enter the logits. With `boundedLogits`, the logits are tanh(LayerNorm(logits)).
 *
 * Pools and attention run over available replicas only, so that clusters of different sizes fit into
 * one batch: the smaller ones are padded, and the mask says which replicas are there. Permuting the
 * replicas permutes the logits and leaves the value alone; the parameters do not depend on the
 * number of replicas, which is read off the observation (neither holds with an identity or bounded logits). No hidden
 * state.
 *
 * Source: spec/scheduler.md section 4.4 ("better design"), the residual spec/practice.md section 9;
 * pooling after Zaheer et al., "Deep Sets" (2017).
 *
 * @param rng Draws the initial weights; consumed in the order of the parameters.
 * @throws {RangeError} When the layout is missing or does not fit the shape.
 */
export function createReplicaScorer(
  config: ReplicaScorerConfig,
  shape: PolicyShape,
  { parameters, rng }: { readonly parameters: ParameterSet; readonly rng: Rng },
): Network {
  const { hiddenSize, loadResidualSlope, sharedEncoder, attentionHeads, identitySize } = config;
  const { boundedLogits } = config;
  const layout = checkLayout(shape, loadResidualSlope > 0);
  const { perReplicaSize, globalSize, loadFeatures = [] } = layout;
  const { criticReplicaSize = 0, criticGlobalSize = 0 } = layout;
  if (sharedEncoder && criticReplicaSize + criticGlobalSize > 0) {
    throw new RangeError(
      "Cannot create a replica scorer: sharedEncoder must be false where some features are for the " +
        "value only, current value is true",
    );
  }
  const actorView = {
    perReplicaSize: perReplicaSize - criticReplicaSize,
    globalSize: globalSize - criticGlobalSize,
  };

  function hidden(name: string, inputs: number): DenseParameters {
    return createDense(parameters, name, { inputs, outputs: hiddenSize, gain: HIDDEN_GAIN, rng });
  }
  function head(name: string, gain: number): DenseParameters {
    return createDense(parameters, name, { inputs: hiddenSize, outputs: 1, gain, rng });
  }
  function createIdentity(name: string): tf.Variable {
    const identityShape = [layout.replicaCount, identitySize] as const;
    return parameters.add(name, identityShape, orthogonal(rng, identityShape, 1));
  }
  function createEncoder(prefix: string, view: EncoderView): Encoder {
    return {
      view,
      identity: identitySize > 0 ? createIdentity(`${prefix}identity`) : undefined,
      replica: [
        hidden(`${prefix}replica.0`, view.perReplicaSize + identitySize),
        hidden(`${prefix}replica.1`, hiddenSize),
      ],
      attention: attentionHeads > 0
        ? createReplicaAttention(parameters, `${prefix}attention`, {
          size: hiddenSize,
          heads: attentionHeads,
          rng,
        })
        : undefined,
      global: view.globalSize > 0 ? hidden(`${prefix}global.0`, view.globalSize) : undefined,
    };
  }
  const encoder = createEncoder("", actorView);
  const contextSize = (actorView.globalSize > 0 ? 3 : 2) * hiddenSize;
  const scorer = hidden("actor.0", hiddenSize + contextSize);
  const scorerHead = head("actor.head", POLICY_HEAD_GAIN);
  const scorerNorm = boundedLogits
    ? createLayerNorm(parameters, "actor.head.norm", layout.replicaCount)
    : undefined;
  const criticContextSize = (globalSize > 0 ? 3 : 2) * hiddenSize;
  const critic = [hidden("critic.0", criticContextSize), hidden("critic.1", hiddenSize)];
  const criticHead = head("critic.head", VALUE_HEAD_GAIN);
  const criticEncoder = sharedEncoder
    ? undefined
    : createEncoder("critic.", { perReplicaSize, globalSize });

  function forward({ observations, actionMask }: NetworkInput): NetworkOutput {
    const [rows, width] = observations.shape;
    const replicaCount = (width - globalSize) / perReplicaSize;
    const replicaColumns = replicaCount * perReplicaSize;
    const slices = tf.slice(observations, [0, 0], [rows, replicaColumns])
      .as2D(rows * replicaCount, perReplicaSize);
    function encode({ view, identity, replica, attention, global }: Encoder): Encoding {
      const seen = view.perReplicaSize === perReplicaSize
        ? slices
        : tf.slice(slices, [0, 0], [-1, view.perReplicaSize]);
      const described = identity === undefined
        ? seen
        : tf.concat([seen, repeatRows(identity, rows)], 1);
      const encoded = applyRelu(described, replica);
      const replicas = attention === undefined
        ? encoded
        : replicaAttention(encoded, attention, { replicaCount, actionMask });
      const pools = pool(replicas, { replicaCount, actionMask });
      if (global !== undefined) {
        const rest = tf.slice(observations, [0, replicaColumns], [rows, view.globalSize]);
        pools.unshift(dense(rest, global, "relu"));
      }
      return { replicas, context: tf.concat(pools, 1) };
    }
    const { replicas, context } = encode(encoder);
    const repeated = tf.concat(Array<tf.Tensor2D>(replicaCount).fill(context), 1)
      .as2D(rows * replicaCount, contextSize);
    const joined = tf.concat([replicas, repeated], 1);
    const scores = dense(dense(joined, scorer, "relu"), scorerHead);
    const valueContext = criticEncoder === undefined ? context : encode(criticEncoder).context;
    const logits = tf.sub(scores, residual(slices)).as2D(rows, replicaCount);
    return {
      logits: scorerNorm === undefined ? logits : layerNorm(logits, scorerNorm, "tanh"),
      values: tf.reshape(dense(applyRelu(valueContext, critic), criticHead), [-1]),
    };
  }
  /** Slope times load, `[rows * replicas, 1]`. */
  function residual(slices: tf.Tensor2D): tf.Tensor2D | number {
    if (loadResidualSlope === 0) return 0;
    const loads = loadFeatures.map((offset) => tf.slice(slices, [0, offset], [-1, 1]));
    return tf.mul(loadResidualSlope, loads.reduce((sum, load) => tf.add(sum, load)));
  }
  return { hiddenStateSize: 0, forward };
}

/** Dense layers with ReLU, one after the other. */
function applyRelu(input: tf.Tensor2D, layers: readonly DenseParameters[]): tf.Tensor2D {
  return layers.reduce((features, layer) => dense(features, layer, "relu"), input);
}

/** `count` copies of a matrix below each other; a product, whose gradient every backend has. */
function repeatRows(matrix: tf.Variable, count: number): tf.Tensor2D {
  const [height, width] = matrix.shape as [number, number];
  return tf.matMul(tf.ones([count, 1]), matrix.as2D(1, height * width))
    .as2D(count * height, width);
}

/** Mean and maximum over the available replicas, each `[rows, features]`. */
function pool(
  encoded: tf.Tensor2D,
  { replicaCount, actionMask }: {
    readonly replicaCount: number;
    readonly actionMask: tf.Tensor2D | undefined;
  },
): tf.Tensor2D[] {
  const [height, size] = encoded.shape;
  function byReplica(features: tf.Tensor2D): tf.Tensor2D[] {
    const columns = features.as2D(height / replicaCount, replicaCount * size);
    return splitColumns(columns, replicaCount);
  }
  function sum(replicas: readonly tf.Tensor2D[]): tf.Tensor2D {
    return replicas.reduce((a, b) => tf.add(a, b));
  }
  function largest(replicas: readonly tf.Tensor2D[]): tf.Tensor2D {
    return replicas.reduce((a, b) => maximum(a, b));
  }
  if (actionMask === undefined) {
    const replicas = byReplica(encoded);
    return [tf.div(sum(replicas), replicaCount), largest(replicas)];
  }
  const mask = actionMask.as2D(height, 1);
  const lowered: tf.Tensor2D = tf.add(encoded, tf.mul(tf.sub(mask, 1), UNAVAILABLE));
  return [
    tf.div(sum(byReplica(tf.mul(encoded, mask))), tf.sum(actionMask, 1, true)),
    largest(byReplica(lowered)),
  ];
}

/** The layout, known to fit. */
function checkLayout(shape: PolicyShape, needsLoad: boolean): ReplicaLayout {
  const { observationSize, actionCount, replicaLayout } = shape;
  if (replicaLayout === undefined) {
    throw new RangeError(
      "Cannot create a replica scorer: replicaLayout must be given, current value is undefined",
    );
  }
  const { replicaCount, perReplicaSize, globalSize, loadFeatures = [] } = replicaLayout;
  const size = replicaCount * perReplicaSize + globalSize;
  if (replicaCount !== actionCount || size !== observationSize) {
    throw new RangeError(
      `Cannot create a replica scorer: replicaLayout must describe ${actionCount} replicas and ` +
        `${observationSize} features, current value is ${replicaCount} replicas and ${size} features`,
    );
  }
  const fits = loadFeatures.every((offset) =>
    Number.isInteger(offset) && offset >= 0 && offset < perReplicaSize
  );
  if (!fits || (needsLoad && loadFeatures.length === 0)) {
    throw new RangeError(
      `Cannot create a replica scorer: replicaLayout.loadFeatures must be offsets below ${perReplicaSize}` +
        `${
          needsLoad ? ", at least one when loadResidualSlope > 0" : ""
        }, current value is [${loadFeatures}]`,
    );
  }
  return replicaLayout;
}
