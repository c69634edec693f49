import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { AdamOptimizer, globalNorm } from "../../lib/kernels/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { normals, simdBackend, testOnBackends } from "./_simd.ts";

const OPTIONS = { learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-5, scale: 0.5 };

/** Algorithm 1 in float64. */
function adamFloat64(start: number[], gradients: number[][]): number[] {
  const { learningRate, beta1, beta2, epsilon, scale } = OPTIONS;
  return start.map((value, i) => {
    let [m, v, p] = [0, 0, value];
    gradients.forEach((gradient, t) => {
      const g = scale * gradient[i]!;
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      const mean = m / (1 - beta1 ** (t + 1));
      p -= learningRate * mean / (Math.sqrt(v / (1 - beta2 ** (t + 1))) + epsilon);
    });
    return p;
  });
}

const START = normals(7, 1);
const GRADIENTS = [2, 3, 4, 5].map((seed) => normals(7, seed));

function run(): Float32Array {
  const variable = tf.variable(tf.tensor1d(START));
  const adam = new AdamOptimizer([variable]);
  for (const gradient of GRADIENTS) adam.step([Float32Array.from(gradient)], OPTIONS);
  const values = variable.dataSync() as Float32Array;
  adam.dispose();
  variable.dispose();
  return values;
}

testOnBackends("AdamOptimizer.step() follows algorithm 1 in float64", () => {
  assertAllClose(run(), adamFloat64(START, GRADIENTS), { rtol: 1e-6, atol: 1e-6 });
});

Deno.test("AdamOptimizer.step() does the same on tfjs's cpu backend", async () => {
  await tf.setBackend("cpu");
  assertAllClose(run(), adamFloat64(START, GRADIENTS), { rtol: 1e-6, atol: 1e-6 });
});

testOnBackends("AdamOptimizer continues bit for bit from its state", () => {
  const straight = run();
  const variable = tf.variable(tf.tensor1d(START));
  const first = new AdamOptimizer([variable]);
  for (const gradient of GRADIENTS.slice(0, 2)) {
    first.step([Float32Array.from(gradient)], OPTIONS);
  }
  const second = new AdamOptimizer([variable]);
  second.setState(first.getState());
  for (const gradient of GRADIENTS.slice(2)) {
    second.step([Float32Array.from(gradient)], OPTIONS);
  }
  assert.deepEqual(variable.dataSync(), straight);
  for (const adam of [first, second]) adam.dispose();
  variable.dispose();
});

testOnBackends(
  "AdamOptimizer leaves older copies of the variable alone, and no memory behind",
  () => {
    const variable = tf.variable(tf.tensor1d(START));
    const before = tf.clone(variable);
    const adam = new AdamOptimizer([variable]);
    adam.step([Float32Array.from(GRADIENTS[0]!)], OPTIONS);
    assert.deepEqual([...before.dataSync()], START);
    const tensors = tf.memory().numTensors;
    const { used } = simdBackend().heapBytes;
    adam.step([Float32Array.from(GRADIENTS[1]!)], OPTIONS);
    assert.equal(tf.memory().numTensors, tensors);
    assert.equal(simdBackend().heapBytes.used, used);
    adam.dispose();
    variable.dispose();
  },
);

testOnBackends("AdamOptimizer refuses arrays that do not fit", () => {
  const variable = tf.variable(tf.tensor1d(START));
  const adam = new AdamOptimizer([variable]);
  assert.throws(() => adam.step([new Float32Array(3)], OPTIONS), {
    name: "RangeError",
    message: "Cannot use Adam: gradients must have lengths 7, current value is 3",
  });
  assert.throws(() => adam.setState({ stepCount: 1, means: [], variances: [] }), {
    name: "RangeError",
    message: /means must have lengths 7/,
  });
  adam.dispose();
  variable.dispose();
});

testOnBackends("globalNorm() is the same in and outside the kernels' memory", () => {
  const arrays = [normals(9, 1), normals(1, 2), normals(64, 3)];
  const plain = globalNorm(arrays.map((array) => Float32Array.from(array)));
  const inside = arrays.map((array) => {
    const pointer = simdBackend().heap.allocate(array.length * 4);
    const view = simdBackend().view(pointer, array.length);
    view.set(array);
    return view;
  });
  assertAllClose([globalNorm(inside)], [plain], { rtol: 1e-14 });
  const expected = Math.sqrt(arrays.flat().reduce((sum, value) => sum + value * value, 0));
  assertAllClose([plain], [expected], { rtol: 1e-14 });
  for (const view of inside) simdBackend().heap.free(view.byteOffset, view.byteLength);
});
