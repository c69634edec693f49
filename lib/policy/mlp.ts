/**
 * Separate feed-forward trunks for policy and value.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { HIDDEN_GAIN, POLICY_HEAD_GAIN, VALUE_HEAD_GAIN } from "./_gains.ts";
import { tf } from "./_tensorflow.ts";
import { createDense, dense, type DenseParameters } from "./layers/dense.ts";
import type { Network, NetworkInput, NetworkOutput, PolicyShape } from "./network.ts";
import type { ParameterSet } from "./parameters.ts";
import type { MlpConfig } from "./policy_schema.ts";

/**
 * Two multilayer perceptrons that share nothing: observation -> hidden layers -> logits, and
 * observation -> hidden layers -> value. No hidden state.
 *
 * Source: Stable-Baselines3's default MlpPolicy; separate trunks are detail 13 of "The 37
 * implementation details of PPO" (2022).
 *
 * @param rng Draws the initial weights; consumed in the order of the parameters.
 */
export function createMlp(
  { hiddenSizes, activation }: MlpConfig,
  { observationSize, actionCount }: PolicyShape,
  { parameters, rng }: { readonly parameters: ParameterSet; readonly rng: Rng },
): Network {
  function trunk(name: string, outputs: number, headGain: number): DenseParameters[] {
    const widths = [observationSize, ...hiddenSizes, outputs];
    return widths.slice(1).map((width, i) => {
      const isHead = i === hiddenSizes.length;
      return createDense(parameters, `${name}.${isHead ? "head" : i}`, {
        inputs: widths[i]!,
        outputs: width,
        gain: isHead ? headGain : HIDDEN_GAIN,
        rng,
      });
    });
  }
  function apply(input: tf.Tensor2D, layers: readonly DenseParameters[]): tf.Tensor2D {
    return layers.reduce(
      (features, layer, i) =>
        dense(features, layer, i < hiddenSizes.length ? activation : "linear"),
      input,
    );
  }

  const actor = trunk("actor", actionCount, POLICY_HEAD_GAIN);
  const critic = trunk("critic", 1, VALUE_HEAD_GAIN);
  function forward({ observations }: NetworkInput): NetworkOutput {
    return {
      logits: apply(observations, actor),
      values: tf.reshape(apply(observations, critic), [-1]),
    };
  }
  return { hiddenStateSize: 0, forward };
}
