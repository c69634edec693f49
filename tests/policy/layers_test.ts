import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { gelu } from "../../lib/kernels/mod.ts";
import { createDense, dense } from "../../lib/policy/layers/dense.ts";
import { createGru, gru } from "../../lib/policy/layers/gru.ts";
import { createLayerNorm, layerNorm } from "../../lib/policy/layers/layer_norm.ts";
import { ParameterSet } from "../../lib/policy/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { normals } from "./_policies.ts";

/** float32 against hand values with six digits. */
const CLOSE = { atol: 2e-6 };

Deno.test("dense() is input . kernel + bias and then the activation", () => {
  const parameters = new ParameterSet();
  const layer = createDense(parameters, "d", { inputs: 2, outputs: 2, gain: 1, rng: new Rng(1) });
  parameters.setWeights({
    "d.kernel": { shape: [2, 2], values: new Float32Array([1, 2, 3, 4]) },
    "d.bias": { shape: [2], values: new Float32Array([-20, 0.5]) },
  });
  tf.tidy(() => {
    const input = tf.tensor2d([[1, 2], [5, 6]]);
    assert.deepEqual([...dense(input, layer).dataSync()], [-13, 10.5, 3, 34.5]);
    assert.deepEqual([...dense(input, layer, "relu").dataSync()], [0, 10.5, 3, 34.5]);
  });
  parameters.dispose();
});

Deno.test("gelu() is the exact GELU", () => {
  // x Phi(x) from tables of the normal distribution: Phi(1) = 0.8413447, Phi(-2) = 0.0227501
  const values = tf.tidy(() => gelu(tf.tensor1d([0, 1, -2])).dataSync());
  assertAllClose(values, [0, 0.8413447, -0.0455003], CLOSE);
});

Deno.test("layerNorm() standardises rows with the population variance, then scales and shifts", () => {
  const parameters = new ParameterSet();
  const layer = createLayerNorm(parameters, "n", 2);
  parameters.get("n.gain").assign(tf.tensor1d([2, 3]));
  parameters.get("n.bias").assign(tf.tensor1d([0.5, 0]));
  // row (1, 3): mean 2, variance 1, so -+1 / sqrt(1 + 1e-5) = -+0.999995
  const values = tf.tidy(() => layerNorm(tf.tensor2d([[1, 3], [7, 7]]), layer).dataSync());
  assertAllClose(values, [0.5 - 1.99999, 2.999985, 0.5, 0], CLOSE);
  parameters.dispose();
});

Deno.test("gru() computes the gates as PyTorch does", () => {
  const parameters = new ParameterSet();
  const layer = createGru(parameters, "g", { inputs: 1, units: 1, rng: new Rng(1) });
  parameters.setWeights({
    "g.inputKernel": { shape: [1, 3], values: new Float32Array([0.5, -0.4, 0.9]) },
    "g.inputBias": { shape: [3], values: new Float32Array([0.1, 0.2, -0.3]) },
    "g.recurrentKernel": { shape: [1, 3], values: new Float32Array([0.7, 0.6, -0.8]) },
    "g.recurrentBias": { shape: [3], values: new Float32Array([0.05, -0.15, 0.25]) },
  });
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  function step(x: number, h: number): number {
    const r = sigmoid(0.5 * x + 0.1 + 0.7 * h + 0.05);
    const z = sigmoid(-0.4 * x + 0.2 + 0.6 * h - 0.15);
    const n = Math.tanh(0.9 * x - 0.3 + r * (-0.8 * h + 0.25));
    return (1 - z) * n + z * h;
  }
  const first = step(1, 0.5);
  const second = step(-2, first);
  const third = step(0.3, 0); // reset before it
  tf.tidy(() => {
    const { outputs, hiddenState } = gru(tf.tensor2d([[1], [-2], [0.3]]), tf.tensor2d([[0.5]]), {
      keep: tf.tensor2d([[1], [1], [0]]),
      parameters: layer,
    });
    assertAllClose(outputs.dataSync(), [first, second, third], CLOSE);
    assertAllClose(hiddenState.dataSync(), [third], CLOSE);
  });
  parameters.dispose();
});

Deno.test("gru() after a reset inside a sequence equals a fresh sequence", () => {
  const parameters = new ParameterSet();
  const [steps, inputs, units] = [5, 3, 4];
  const layer = createGru(parameters, "g", { inputs, units, rng: new Rng(2) });
  tf.tidy(() => {
    const input = tf.tensor2d(normals(steps * inputs, 3), [steps, inputs]);
    const whole = gru(input, tf.tensor2d(normals(units, 4), [1, units]), {
      keep: tf.tensor2d([[1], [1], [0], [1], [1]]),
      parameters: layer,
    });
    const fresh = gru(input.slice([2, 0]), tf.zeros([1, units]), {
      keep: tf.ones([3, 1]),
      parameters: layer,
    });
    assert.deepEqual(whole.outputs.slice([2, 0]).dataSync(), fresh.outputs.dataSync());
    assert.deepEqual(whole.hiddenState.dataSync(), fresh.hiddenState.dataSync());
  });
  parameters.dispose();
});
