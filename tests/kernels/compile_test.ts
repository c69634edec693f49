import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import {
  canCompile,
  compileFunction,
  fusedDense,
  fusedLayerNorm,
  gruSequence,
} from "../../lib/kernels/mod.ts";
import { normals, simdBackend, testOnBackends } from "./_simd.ts";

function network() {
  const variable = (shape: number[], seed: number) =>
    tf.variable(tf.tensor(normals(shape.reduce((product, n) => product * n, 1), seed), shape));
  const variables = {
    kernel: variable([5, 40], 1),
    bias: variable([40], 2),
    gain: variable([40], 3),
    shift: variable([40], 4),
    inputKernel: variable([40, 30], 5),
    inputBias: variable([30], 6),
    recurrentKernel: variable([10, 30], 7),
    recurrentBias: variable([30], 8),
  };
  function forward({ x, hidden, keep }: Record<"x" | "hidden" | "keep", tf.Tensor>) {
    const features = fusedDense(x as tf.Tensor2D, variables.kernel, variables.bias, "gelu");
    const normal = fusedLayerNorm(features, variables.gain, variables.shift, {
      activation: "relu",
    });
    const outputs = gruSequence(normal, hidden as tf.Tensor2D, keep as tf.Tensor2D, variables);
    const [left, right] = tf.split(outputs, 2, 1);
    return { probabilities: tf.softmax(tf.mul(left!, 2)), state: tf.concat([right!, left!], 1) };
  }
  return { variables: Object.values(variables), forward };
}

for (const rows of [1, 3, 16]) {
  testOnBackends(
    `a compiled network of ${rows} rows gives the same bits, also after updates`,
    () => {
      const { variables, forward } = network();
      const inputShapes = { x: [rows, 5], hidden: [rows, 10], keep: [1, rows] } as const;
      const compiled = compileFunction(forward, { inputShapes, variables });
      for (let run = 0; run < 3; run++) {
        const values = {
          x: normals(rows * 5, 10 + run),
          hidden: normals(rows * 10, 20 + run),
          keep: Array.from({ length: rows }, (_, i) => (i + run) % 2),
        };
        for (const name of ["x", "hidden", "keep"] as const) {
          compiled.inputs[name].set(values[name]);
        }
        compiled.run();
        const expected = forward({
          x: tf.tensor(values.x, [...inputShapes.x]),
          hidden: tf.tensor(values.hidden, [...inputShapes.hidden]),
          keep: tf.tensor(values.keep, [...inputShapes.keep]),
        });
        assert.deepEqual([...compiled.outputs.probabilities], [
          ...expected.probabilities.dataSync(),
        ]);
        assert.deepEqual([...compiled.outputs.state], [...expected.state.dataSync()]);
        for (const variable of variables) variable.assign(tf.mul(variable, 0.9));
      }
      compiled.dispose();
      for (const variable of variables) variable.dispose();
    },
  );
}

testOnBackends("a compiled function may compute gradients", () => {
  const weight = tf.variable(tf.tensor1d([1, 2, 3]));
  const compiled = compileFunction(({ x }) => {
    const { value, grads } = tf.variableGrads(
      () => tf.sum(tf.square(tf.mul(x, weight))) as tf.Scalar,
      [weight],
    );
    return { value, gradient: grads[weight.name]! };
  }, { inputShapes: { x: [3] }, variables: [weight] });
  compiled.inputs.x.set([1, 1, 2]);
  compiled.run();
  assert.deepEqual([...compiled.outputs.value], [1 + 4 + 36]);
  assert.deepEqual([...compiled.outputs.gradient], [2, 4, 24]); // 2 x^2 w
  compiled.dispose();
  weight.dispose();
});

testOnBackends("runs allocate nothing and dispose() gives everything back", () => {
  const { variables, forward } = network();
  const before = simdBackend().heapBytes.used;
  const compiled = compileFunction(forward, {
    inputShapes: { x: [4, 5], hidden: [4, 10], keep: [1, 4] },
    variables,
  });
  const tensors = tf.memory().numTensors;
  const held = simdBackend().heapBytes.used;
  for (let run = 0; run < 100; run++) compiled.run();
  assert.equal(tf.memory().numTensors, tensors);
  assert.equal(simdBackend().heapBytes.used, held);
  compiled.dispose();
  // What remains are the variables' values, which moved into the memory.
  assert.ok(simdBackend().heapBytes.used - before < held - before);
  for (const variable of variables) variable.dispose();
});

testOnBackends("compileFunction() refuses what it could not repeat", () => {
  const compile = (f: (x: tf.Tensor) => tf.Tensor) => () =>
    compileFunction(({ x }) => ({ y: f(x) }), { inputShapes: { x: [2] }, variables: [] });
  assert.throws(compile((x) => tf.mul(x, x.dataSync()[0]!)), {
    message: "Cannot compile a function: it must not use reading a tensor's values",
  });
  assert.throws(compile((x) => tf.cumsum(x)), { message: /the tfjs kernel Cumsum/ });
  assert.throws(compile((x) => tf.cast(x, "int32")), { message: /the tfjs kernel Cast/ });
  assert.deepEqual([...tf.add(tf.tensor1d([1]), 1).dataSync()], [2]); // and works on afterwards
});

Deno.test("compileFunction() refuses other backends", async () => {
  await tf.setBackend("cpu");
  assert.equal(canCompile(), false);
  assert.throws(
    () => compileFunction(({ x }) => ({ x }), { inputShapes: { x: [1] }, variables: [] }),
    { message: "Cannot compile a function: backend must be simd, current value is cpu" },
  );
});
