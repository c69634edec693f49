import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { fusedDense, fusedLayerNorm, gruSequence } from "../../lib/kernels/mod.ts";
import { normals, simdBackend, testOnBackends } from "./_simd.ts";

/** One training run of a small recurrent network; returns its weights. */
function train(steps: number, afterStep: (step: number) => void): Float32Array {
  const variables = [[3, 8], [8], [8], [8], [8, 12], [12], [4, 12], [12]].map((shape, i) => {
    const size = shape.reduce((product, n) => product * n, 1);
    return tf.variable(tf.tensor(normals(size, i), shape));
  });
  const [kernel, bias, gain, shift, inputKernel, inputBias, recurrentKernel, recurrentBias] =
    variables as [tf.Variable, ...tf.Variable[]];
  const optimizer = tf.train.sgd(1e-3);
  for (let step = 0; step < steps; step++) {
    optimizer.minimize(() => {
      const x = tf.tensor2d(normals(18, step), [6, 3]);
      const hidden = fusedLayerNorm(fusedDense(x, kernel, bias!, "gelu"), gain!, shift!, {
        activation: "relu",
      });
      const memory = gruSequence(hidden, tf.zeros([2, 4]), tf.ones([3, 2]), {
        inputKernel: inputKernel!,
        inputBias: inputBias!,
        recurrentKernel: recurrentKernel!,
        recurrentBias: recurrentBias!,
      });
      return tf.neg(tf.mean(tf.logSoftmax(memory)));
    });
    afterStep(step);
  }
  const weights = variables.flatMap((variable) => [...variable.dataSync()]);
  for (const variable of variables) variable.dispose();
  optimizer.dispose();
  return Float32Array.from(weights);
}

testOnBackends("1,000 training steps need no more tensors and no more memory than ten", () => {
  const observed = new Map<number, readonly number[]>();
  train(1000, (step) => {
    const { used, reserved } = simdBackend().heapBytes;
    observed.set(step, [tf.memory().numTensors, used, reserved]);
  });
  assert.deepEqual(observed.get(999), observed.get(9));
});

testOnBackends("the same seed gives the same bytes", () => {
  const run = () => train(20, () => {});
  assert.deepEqual(run(), run());
});
