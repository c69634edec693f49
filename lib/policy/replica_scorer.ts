/**
 * A network that treats all replicas alike.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { HIDDEN_GAIN, POLICY_HEAD_GAIN, VALUE_HEAD_GAIN } from "./_gains.ts";
import { tf } from "./_tensorflow.ts";
import { createDense, dense, type DenseParameters } from "./layers/dense.ts";
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

/** What turns replicas and the rest of an observation into features. */
interface Encoder {
  readonly replica: readonly DenseParameters[];
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
 * value and policy share no parameter. Pools run over available replicas only. Permuting the replicas permutes the
 * logits and leaves the value alone; the parameters do not depend on the number of replicas. No
 * hidden state.
 *
 * Source: spec/scheduler.md section 4.4 ("better design"), the residual spec/practice.md section 9;
 * pooling after Zaheer et al., "Deep Sets" (2017).
 *
 * @param rng Draws the initial weights; consumed in the order of the parameters.
 * @throws {RangeError} When the layout is missing or does not fit the shape.
 */
export function createReplicaScorer(
  { hiddenSize, loadResidualSlope, sharedEncoder }: ReplicaScorerConfig,
  shape: PolicyShape,
  { parameters, rng }: { readonly parameters: ParameterSet; readonly rng: Rng },
): Network {
  const layout = checkLayout(shape, loadResidualSlope > 0);
  const { replicaCount, perReplicaSize, globalSize, loadFeatures = [] } = layout;

  function hidden(name: string, inputs: number): DenseParameters {
    return createDense(parameters, name, { inputs, outputs: hiddenSize, gain: HIDDEN_GAIN, rng });
  }
  function head(name: string, gain: number): DenseParameters {
    return createDense(parameters, name, { inputs: hiddenSize, outputs: 1, gain, rng });
  }
  function createEncoder(prefix: string): Encoder {
    return {
      replica: [
        hidden(`${prefix}replica.0`, perReplicaSize),
        hidden(`${prefix}replica.1`, hiddenSize),
      ],
      global: globalSize > 0 ? hidden(`${prefix}global.0`, globalSize) : undefined,
    };
  }
  const encoder = createEncoder("");
  const contextSize = (globalSize > 0 ? 3 : 2) * hiddenSize;
  const scorer = hidden("actor.0", hiddenSize + contextSize);
  const scorerHead = head("actor.head", POLICY_HEAD_GAIN);
  const critic = [hidden("critic.0", contextSize), hidden("critic.1", hiddenSize)];
  const criticHead = head("critic.head", VALUE_HEAD_GAIN);
  const criticEncoder = sharedEncoder ? undefined : createEncoder("critic.");

  function forward({ observations, actionMask }: NetworkInput): NetworkOutput {
    const rows = observations.shape[0];
    const replicaColumns = replicaCount * perReplicaSize;
    const slices = tf.slice(observations, [0, 0], [rows, replicaColumns])
      .as2D(rows * replicaCount, perReplicaSize);
    function encode({ replica, global }: Encoder): Encoding {
      const replicas = applyRelu(slices, replica);
      const columns = replicas.as2D(rows, replicaCount * hiddenSize);
      const pools = pool(tf.split(columns, replicaCount, 1), actionMask);
      if (global !== undefined) {
        const rest = tf.slice(observations, [0, replicaColumns], [rows, globalSize]);
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
    return {
      logits: tf.sub(scores, residual(slices)).as2D(rows, replicaCount),
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

/** Mean and maximum over the available replicas, each `[rows, features]`. */
function pool(replicas: tf.Tensor2D[], actionMask: tf.Tensor2D | undefined): tf.Tensor2D[] {
  function add(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D {
    return tf.add(a, b);
  }
  if (actionMask === undefined) {
    return [
      tf.div(replicas.reduce(add), replicas.length),
      replicas.reduce((a, b) => maximum(a, b)),
    ];
  }
  const masks: tf.Tensor2D[] = tf.split(actionMask, replicas.length, 1);
  const present = replicas.map((replica, i): tf.Tensor2D => tf.mul(replica, masks[i]!));
  const lowered = replicas.map((replica, i): tf.Tensor2D =>
    tf.add(replica, tf.mul(tf.sub(masks[i]!, 1), UNAVAILABLE))
  );
  return [tf.div(present.reduce(add), masks.reduce(add)), lowered.reduce((a, b) => maximum(a, b))];
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
