import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { ParameterSet } from "../../lib/policy/mod.ts";

function createSet(): ParameterSet {
  const parameters = new ParameterSet();
  parameters.add("b", [2, 1], new Float32Array([1, 2]));
  parameters.add("a", [1], new Float32Array([3]));
  return parameters;
}

Deno.test("ParameterSet keeps creation order and counts scalars", () => {
  const parameters = createSet();
  assert.deepEqual(parameters.names, ["b", "a"]);
  assert.equal(parameters.count, 3);
  parameters.dispose();
});

Deno.test("ParameterSet.getWeights() hands out copies that setWeights() takes back", () => {
  const [parameters, other] = [createSet(), createSet()];
  const weights = parameters.getWeights();
  other.get("a").assign(tf.tensor1d([9]));
  other.setWeights(weights);
  weights["a"]!.values[0] = 77;
  assert.deepEqual(other.getWeights(), createSetWeights());
  assert.deepEqual(parameters.getWeights(), createSetWeights());
  parameters.dispose();
  other.dispose();
});

function createSetWeights(): ReturnType<ParameterSet["getWeights"]> {
  return {
    b: { shape: [2, 1], values: new Float32Array([1, 2]) },
    a: { shape: [1], values: new Float32Array([3]) },
  };
}

Deno.test("ParameterSet.setWeights() refuses what does not fit and then writes nothing", () => {
  const parameters = createSet();
  const good = parameters.getWeights();
  const values = new Float32Array([8, 8]);
  assert.throws(() => parameters.setWeights({ b: { shape: [2, 1], values } }), {
    name: "RangeError",
    message: "Cannot set weights: a must be of shape [1], current value is missing",
  });
  assert.throws(() => parameters.setWeights({ ...good, b: { shape: [1, 2], values } }), {
    message: "Cannot set weights: b must be of shape [2,1], current value is [1,2] (2 values)",
  });
  assert.throws(() => parameters.setWeights({ ...good, c: { shape: [2], values } }), {
    message: /must be one of this network's parameters, current value is "c"/,
  });
  assert.deepEqual(parameters.getWeights(), good);
  parameters.dispose();
});

Deno.test("ParameterSet.add() refuses a name twice, get() an unknown one", () => {
  const parameters = createSet();
  assert.throws(() => parameters.add("a", [1], new Float32Array(1)), {
    name: "RangeError",
    message: 'Cannot add a parameter: name must be unused, current value is "a"',
  });
  assert.throws(() => parameters.get("z"), {
    name: "RangeError",
    message: "Cannot get a parameter: name must be one of b, a, current value is z",
  });
  parameters.dispose();
});

Deno.test("ParameterSet.dispose() frees every tensor", () => {
  const before = tf.memory().numTensors;
  createSet().dispose();
  assert.equal(tf.memory().numTensors, before);
});
