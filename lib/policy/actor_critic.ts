/**
 * The document's recurrent network.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { HIDDEN_GAIN, POLICY_HEAD_GAIN, VALUE_HEAD_GAIN } from "./_gains.ts";
import { tf } from "./_tensorflow.ts";
import { createDense, dense, type DenseParameters } from "./layers/dense.ts";
import { createGru, gru, type GruParameters } from "./layers/gru.ts";
import { createLayerNorm, layerNorm, type LayerNormParameters } from "./layers/layer_norm.ts";
import type { Network, NetworkInput, NetworkOutput, PolicyShape } from "./network.ts";
import type { ParameterSet } from "./parameters.ts";
import type { ActorCriticConfig } from "./policy_schema.ts";

/** Hidden layers of each decoupled branch. Source: spec/scheduler.md section 0. */
const BRANCH_LAYERS = 2;

/** Linear -> LayerNorm -> ReLU. */
interface HiddenLayer {
  readonly linear: DenseParameters;
  readonly norm: LayerNormParameters;
}

/** A stack of recurrent layers and the columns of the hidden state that they own. */
interface RecurrentStack {
  readonly layers: readonly GruParameters[];
  readonly firstColumn: number;
}

/**
 * ```text
 * LayerNorm -> Linear(P) -> GELU -> Linear(H) -> (Linear -> LayerNorm -> ReLU) x (1 + layerN)
 *   -> GRU x gruLayers
 *   -> actor:  (Linear -> LayerNorm -> ReLU) x 2 -> Linear(A) [-> LayerNorm -> Tanh]
 *   -> critic: (Linear -> LayerNorm -> ReLU) x 2 -> its own GRU -> Linear(1)
 * ```
 *
 * When not decoupled, both heads sit on the shared GRU. Hidden state of one environment, `[S]`:
 * the layers of the shared GRU in order, `hiddenSize` floats each, then the critic's GRU.
 *
 * Source: spec/scheduler.md section 0, details of section 4.1.
 *
 * @param rng Draws the initial weights; consumed in the order of the parameters.
 */
export function createActorCritic(
  config: ActorCriticConfig,
  shape: PolicyShape,
  { parameters, rng }: { readonly parameters: ParameterSet; readonly rng: Rng },
): Network {
  const { hiddenSize, layerN, gruLayers, featureProjectionDim, decoupled, boundedLogits } = config;
  const { observationSize, actionCount } = shape;

  function linear(name: string, inputs: number, outputs: number, gain: number): DenseParameters {
    return createDense(parameters, name, { inputs, outputs, gain, rng });
  }
  function hiddenLayers(name: string, count: number): HiddenLayer[] {
    return Array.from({ length: count }, (_, i) => ({
      linear: linear(`${name}.${i}`, hiddenSize, hiddenSize, HIDDEN_GAIN),
      norm: createLayerNorm(parameters, `${name}.${i}.norm`, hiddenSize),
    }));
  }
  function recurrentStack(name: string, count: number, firstColumn: number): RecurrentStack {
    const layers = Array.from(
      { length: count },
      (_, i) =>
        createGru(parameters, `${name}.${i}`, { inputs: hiddenSize, units: hiddenSize, rng }),
    );
    return { layers, firstColumn };
  }

  const inputNorm = createLayerNorm(parameters, "projection.norm", observationSize);
  const project = linear("projection.0", observationSize, featureProjectionDim, HIDDEN_GAIN);
  const reduce = linear("projection.1", featureProjectionDim, hiddenSize, HIDDEN_GAIN);
  const shared = hiddenLayers("shared", 1 + layerN);
  const sharedGru = recurrentStack("gru", gruLayers, 0);
  const actorBranch = hiddenLayers("actor", decoupled ? BRANCH_LAYERS : 0);
  const actorHead = linear("actor.head", hiddenSize, actionCount, POLICY_HEAD_GAIN);
  const actorNorm = boundedLogits
    ? createLayerNorm(parameters, "actor.head.norm", actionCount)
    : undefined;
  const criticBranch = hiddenLayers("critic", decoupled ? BRANCH_LAYERS : 0);
  const criticGruLayers = decoupled && gruLayers > 0 ? 1 : 0;
  const criticGru = recurrentStack("critic.gru", criticGruLayers, gruLayers * hiddenSize);
  const criticHead = linear("critic.head", hiddenSize, 1, VALUE_HEAD_GAIN);

  function forward({ observations, memory }: NetworkInput): NetworkOutput {
    const nextHidden: tf.Tensor2D[] = [];
    function recur(input: tf.Tensor2D, { layers, firstColumn }: RecurrentStack): tf.Tensor2D {
      return layers.reduce((sequence, parameters, i) => {
        const { hiddenStates, keep } = memory!;
        const begin = firstColumn + i * hiddenSize;
        const initial = tf.slice(hiddenStates, [0, begin], [-1, hiddenSize]);
        const { outputs, hiddenState } = gru(sequence, initial, { keep, parameters });
        nextHidden.push(hiddenState);
        return outputs;
      }, input);
    }

    const projected = dense(layerNorm(observations, inputNorm), project, "gelu");
    const features = applyHiddenLayers(dense(projected, reduce), shared);
    const context = recur(features, sharedGru);
    const scores = dense(applyHiddenLayers(context, actorBranch), actorHead);
    const critic = recur(applyHiddenLayers(context, criticBranch), criticGru);
    const output = {
      logits: actorNorm === undefined ? scores : layerNorm(scores, actorNorm, "tanh"),
      values: tf.reshape(dense(critic, criticHead), [-1]) as tf.Tensor1D,
    };
    return nextHidden.length === 0 ? output : { ...output, hiddenStates: tf.concat(nextHidden, 1) };
  }

  return { hiddenStateSize: (gruLayers + criticGruLayers) * hiddenSize, forward };
}

/** Linear -> LayerNorm -> ReLU, layer after layer. */
function applyHiddenLayers(input: tf.Tensor2D, layers: readonly HiddenLayer[]): tf.Tensor2D {
  return layers.reduce(
    (features, { linear, norm }) => layerNorm(dense(features, linear), norm, "relu"),
    input,
  );
}
