import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { fusedDense, fusedLayerNorm, gruSequence } from "../../lib/kernels/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import {
  denseFloat64,
  gruFloat64,
  layerNormFloat64,
  normalCdf,
  numericGradient,
} from "./_float64.ts";
import { normals, testOnBackends } from "./_simd.ts";

const ACTIVATIONS = {
  linear: (x: number) => x,
  relu: (x: number) => Math.max(x, 0),
  tanh: Math.tanh,
  gelu: (x: number) => x * normalCdf(x),
} as const;

type ActivationName = keyof typeof ACTIVATIONS;

const NAMES = Object.keys(ACTIVATIONS) as ActivationName[];

/** float32 against float64 for sums of up to about 100 products. */
const CLOSE = { rtol: 2e-5, atol: 2e-5 };

/** A scalar that weighs every output differently, so that no gradient cancels. */
function weigh(outputs: readonly number[]): number {
  return outputs.reduce((sum, value, i) => sum + value * Math.cos(i), 0);
}

function weighTensor(outputs: tf.Tensor): tf.Scalar {
  const weights = Float32Array.from({ length: outputs.size }, (_, i) => Math.cos(i));
  return tf.sum(tf.mul(tf.reshape(outputs, [-1]), tf.tensor1d(weights)));
}

/** Compares values and all gradients of a layer with float64. */
function compare(
  shapes: readonly number[][],
  values: readonly number[][],
  layer: (...tensors: tf.Tensor[]) => tf.Tensor,
  reference: (...values: number[][]) => number[],
): void {
  const arrays: Float32Array[] = [];
  tf.tidy(() => {
    const tensors = values.map((array, i) => tf.tensor(array, shapes[i]!));
    arrays.push(layer(...tensors).dataSync() as Float32Array);
    const gradients = tf.grads((...inputs: tf.Tensor[]) => weighTensor(layer(...inputs)))(tensors);
    for (const gradient of gradients) arrays.push(gradient.dataSync() as Float32Array);
  });
  assertAllClose(arrays[0]!, reference(...values.map((array) => [...array])), CLOSE);
  values.forEach((array, i) => {
    const numeric = numericGradient((moved) => {
      const inputs = values.map((other, j) => (i === j ? moved : [...other]));
      return weigh(reference(...inputs));
    }, array);
    assertAllClose(arrays[i + 1]!, numeric, { rtol: 1e-4, atol: 1e-4 });
  });
}

for (const activation of NAMES) {
  testOnBackends(`fusedDense() with ${activation} equals float64, values and gradients`, () => {
    for (const [m, k, n] of [[1, 1, 1], [2, 5, 3], [7, 3, 9], [5, 9, 12]] as const) {
      compare(
        [[m, k], [k, n], [n]],
        [normals(m * k, 1), normals(k * n, 2), normals(n, 3)],
        (x, kernel, bias) => fusedDense(x as tf.Tensor2D, kernel!, bias!, activation),
        (x, kernel, bias) => denseFloat64(x!, kernel!, bias!).map(ACTIVATIONS[activation]),
      );
    }
  });

  testOnBackends(`fusedLayerNorm() with ${activation} equals float64, values and gradients`, () => {
    for (const [rows, n] of [[1, 2], [3, 4], [2, 7], [5, 13]] as const) {
      compare(
        [[rows, n], [n], [n]],
        [normals(rows * n, 4), normals(n, 5), normals(n, 6)],
        (x, gain, bias) =>
          fusedLayerNorm(x as tf.Tensor2D, gain!, bias!, { epsilon: 1e-3, activation }),
        (x, gain, bias) => layerNormFloat64(x!, gain!, bias!, 1e-3).map(ACTIVATIONS[activation]),
      );
    }
  });
}

testOnBackends("fusedLayerNorm() of one feature is its bias", () => {
  const x = tf.tensor2d([[3], [-5]]);
  const y = fusedLayerNorm(x, tf.tensor1d([2]), tf.tensor1d([0.25]));
  assert.deepEqual([...y.dataSync()], [0.25, 0.25]);
});

testOnBackends("gruSequence() equals float64 with resets inside, values and gradients", () => {
  const sizes = fc.record({
    steps: fc.integer({ min: 1, max: 4 }),
    batch: fc.integer({ min: 1, max: 5 }),
    features: fc.integer({ min: 1, max: 6 }),
    units: fc.integer({ min: 1, max: 6 }),
    resets: fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
  });
  fc.assert(
    fc.property(sizes, ({ steps, batch, features, units, resets }) => {
      const keep = resets.slice(0, steps * batch).map((reset) => (reset ? 0 : 1));
      compare(
        [
          [steps * batch, features],
          [batch, units],
          [features, 3 * units],
          [3 * units],
          [units, 3 * units],
          [3 * units],
        ],
        [
          normals(steps * batch * features, 7),
          normals(batch * units, 8),
          normals(features * 3 * units, 9),
          normals(3 * units, 10),
          normals(units * 3 * units, 11),
          normals(3 * units, 12),
        ],
        (input, hidden, inputKernel, inputBias, recurrentKernel, recurrentBias) =>
          gruSequence(
            input as tf.Tensor2D,
            hidden as tf.Tensor2D,
            tf.tensor2d(keep, [steps, batch]),
            {
              inputKernel: inputKernel!,
              inputBias: inputBias!,
              recurrentKernel: recurrentKernel!,
              recurrentBias: recurrentBias!,
            },
          ),
        (input, hidden, inputKernel, inputBias, recurrentKernel, recurrentBias) =>
          gruFloat64(input!, hidden!, keep, {
            inputKernel: inputKernel!,
            inputBias: inputBias!,
            recurrentKernel: recurrentKernel!,
            recurrentBias: recurrentBias!,
          }),
      );
    }),
    { numRuns: 25, seed: 4 },
  );
});

testOnBackends("gruSequence() forgets a state that is reset, even one that is NaN", () => {
  const units = 2;
  const weights = {
    inputKernel: tf.tensor2d(normals(6, 1), [1, 6]),
    inputBias: tf.tensor1d(normals(6, 2)),
    recurrentKernel: tf.tensor2d(normals(12, 3), [units, 6]),
    recurrentBias: tf.tensor1d(normals(6, 4)),
  };
  const run = (hidden: number[]) =>
    gruSequence(tf.tensor2d([[1], [2]]), tf.tensor2d([hidden]), tf.tensor2d([[0], [1]]), weights)
      .dataSync();
  assert.deepEqual([...run([NaN, 5])], [...run([0, 0])]);
});

testOnBackends("a long, wide GRU equals one that goes step by step", () => {
  const [steps, batch, features, units] = [9, 7, 20, 24];
  const weights = {
    inputKernel: tf.tensor2d(normals(features * 72, 1), [features, 72]),
    inputBias: tf.tensor1d(normals(72, 2)),
    recurrentKernel: tf.tensor2d(normals(units * 72, 3), [units, 72]),
    recurrentBias: tf.tensor1d(normals(72, 4)),
  };
  const input = tf.tensor2d(normals(steps * batch * features, 5), [steps * batch, features]);
  let hidden = tf.tensor2d(normals(batch * units, 6), [batch, units]);
  const whole = gruSequence(input, hidden, tf.ones([steps, batch]), weights).dataSync();
  for (let t = 0; t < steps; t++) {
    const now = tf.slice(input, [t * batch, 0], [batch, -1]);
    hidden = gruSequence(now, hidden, tf.ones([1, batch]), weights);
  }
  // Bit for bit: sums run in the same order whatever the number of rows.
  assert.deepEqual([...hidden.dataSync()], [...whole.slice((steps - 1) * batch * units)]);
});

testOnBackends("layers refuse shapes that do not fit, and say which", () => {
  const x = tf.zeros([2, 3]) as tf.Tensor2D;
  assert.throws(() => fusedDense(x, tf.zeros([4, 5]), tf.zeros([5])), {
    name: "RangeError",
    message: "Cannot compute a dense: kernel must be of shape [3,5], current value is [4,5]",
  });
  assert.throws(() => fusedLayerNorm(x, tf.zeros([2]), tf.zeros([3])), {
    name: "RangeError",
    message: /gain must be of shape \[3\], current value is \[2\]/,
  });
  const weights = {
    inputKernel: tf.zeros([3, 6]),
    inputBias: tf.zeros([6]),
    recurrentKernel: tf.zeros([2, 5]),
    recurrentBias: tf.zeros([6]),
  };
  assert.throws(
    () => gruSequence(x, tf.zeros([1, 2]), tf.zeros([2, 1]), weights),
    { name: "RangeError", message: /recurrentKernel must be of shape \[2,6\]/ },
  );
});

Deno.test("the layers give the same values and gradients on tfjs's cpu backend", async () => {
  const run = () =>
    tf.tidy(() => {
      const x = tf.tensor2d(normals(12, 1), [4, 3]);
      const weights = [normals(15, 2), normals(5, 3), normals(5, 4), normals(5, 5)];
      const variables = [
        tf.tensor2d(weights[0]!, [3, 5]),
        ...weights.slice(1).map((values) => tf.tensor1d(values)),
      ];
      const gru = {
        inputKernel: tf.tensor2d(normals(30, 6), [5, 6]),
        inputBias: tf.tensor1d(normals(6, 7)),
        recurrentKernel: tf.tensor2d(normals(12, 8), [2, 6]),
        recurrentBias: tf.tensor1d(normals(6, 9)),
      };
      const { value, grads } = tf.valueAndGrads((kernel, bias, gain, shift) => {
        const features = fusedLayerNorm(fusedDense(x, kernel!, bias!, "gelu"), gain!, shift!);
        const keep = tf.tensor2d([[1, 0], [0, 1]]);
        return weighTensor(gruSequence(features, tf.ones([2, 2]), keep, gru));
      })(variables);
      return tf.concat([value, ...grads].map((tensor) => tf.reshape(tensor, [-1])));
    }).dataSync();
  await tf.setBackend("cpu");
  const expected = run();
  await tf.setBackend("simd");
  assertAllClose(run(), expected, CLOSE);
});
