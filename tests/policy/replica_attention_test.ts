import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import {
  createReplicaAttention,
  replicaAttention,
  type ReplicaAttentionParameters,
} from "../../lib/policy/layers/replica_attention.ts";
import { ParameterSet } from "../../lib/policy/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { normals } from "./_policies.ts";

const [ROWS, REPLICAS, SIZE, HEADS] = [2, 3, 4, 2];
const INPUT = normals(ROWS * REPLICAS * SIZE, 5);
/** The second cluster has no third replica. */
const MASK = [1, 1, 1, 1, 1, 0];

/** A layer whose every parameter is a made-up number. */
function createLayer(): { parameters: ParameterSet; layer: ReplicaAttentionParameters } {
  const parameters = new ParameterSet();
  const layer = createReplicaAttention(parameters, "a", {
    size: SIZE,
    heads: HEADS,
    rng: new Rng(1),
  });
  parameters.variables.forEach((variable, i) =>
    parameters.assign(variable, normals(variable.size, 10 + i))
  );
  return { parameters, layer };
}

function run(
  layer: ReplicaAttentionParameters,
  input: Float32Array,
  mask?: number[],
): Float32Array {
  return tf.tidy(() =>
    replicaAttention(tf.tensor2d(input, [ROWS * REPLICAS, SIZE]), layer, {
      replicaCount: REPLICAS,
      actionMask: mask && tf.tensor2d(mask, [ROWS, REPLICAS]),
    }).dataSync() as Float32Array
  );
}

/** The formulas of the docstring, number by number, in float64. */
function expected(parameters: ParameterSet, mask: readonly number[]): number[] {
  const of = (name: string): number[] => [...parameters.get(`a.${name}`).dataSync()];
  const input = [...INPUT];
  const project = (x: number[], kernel: number[], bias: number[]): number[] =>
    bias.map((start, j) => x.reduce((sum, each, i) => sum + each * kernel[i * SIZE + j]!, start));
  const width = SIZE / HEADS;
  const outputs: number[] = [];
  for (let row = 0; row < ROWS; row++) {
    const x = Array.from({ length: REPLICAS }, (_, r) => {
      const begin = (row * REPLICAS + r) * SIZE;
      return input.slice(begin, begin + SIZE);
    });
    const zero = new Array<number>(SIZE).fill(0);
    const queries = x.map((each) => project(each, of("query.kernel"), of("query.bias")));
    const keys = x.map((each) => project(each, of("key.kernel"), zero));
    const values = x.map((each) => project(each, of("value.kernel"), of("value.bias")));
    for (let i = 0; i < REPLICAS; i++) {
      const looked: number[] = [];
      for (let h = 0; h < HEADS; h++) {
        const part = (vector: number[]) => vector.slice(h * width, (h + 1) * width);
        const weights = keys.map((key, j) => {
          const score = part(key).reduce((sum, each, d) => sum + each * part(queries[i]!)[d]!, 0);
          return mask[row * REPLICAS + j]! * Math.exp(score / Math.sqrt(width));
        });
        const total = weights.reduce((sum, weight) => sum + weight);
        for (let d = 0; d < width; d++) {
          looked.push(
            values.reduce((sum, value, j) => sum + weights[j]! / total * part(value)[d]!, 0),
          );
        }
      }
      const sum = project(looked, of("output.kernel"), of("output.bias"))
        .map((each, d) => each + x[i]![d]!);
      const mean = sum.reduce((a, b) => a + b) / SIZE;
      const variance = sum.reduce((all, each) => all + (each - mean) ** 2, 0) / SIZE;
      const [gain, bias] = [of("norm.gain"), of("norm.bias")];
      sum.forEach((each, d) =>
        outputs.push(gain[d]! * (each - mean) / Math.sqrt(variance + 1e-5) + bias[d]!)
      );
    }
  }
  return outputs;
}

Deno.test("replicaAttention() is multi-head attention with a residual and a LayerNorm, masked or not", () => {
  const { parameters, layer } = createLayer();
  // float32 against float64
  assertAllClose(run(layer, INPUT), expected(parameters, [1, 1, 1, 1, 1, 1]), { atol: 2e-5 });
  assertAllClose(run(layer, INPUT, MASK), expected(parameters, MASK), { atol: 2e-5 });
  parameters.dispose();
});

Deno.test("replicaAttention() does not look at a masked replica", () => {
  const { parameters, layer } = createLayer();
  const changed = INPUT.slice();
  changed.fill(99, 5 * SIZE);
  const [before, after] = [INPUT, changed].map((input) => run(layer, input, MASK));
  assert.deepEqual(after!.slice(0, 5 * SIZE), before!.slice(0, 5 * SIZE));
  assert.notDeepEqual(run(layer, changed).slice(0, 5 * SIZE), run(layer, INPUT).slice(0, 5 * SIZE));
  parameters.dispose();
});

Deno.test("replicaAttention() has the gradients that finite differences give", () => {
  const { parameters, layer } = createLayer();
  const weights = tf.tensor1d(normals(ROWS * REPLICAS * SIZE, 6));
  const loss = (): tf.Scalar =>
    tf.sum(tf.mul(
      weights,
      replicaAttention(tf.tensor2d(INPUT, [ROWS * REPLICAS, SIZE]), layer, {
        replicaCount: REPLICAS,
        actionMask: tf.tensor2d(MASK, [ROWS, REPLICAS]),
      }).flatten(),
    ));
  const { grads } = tf.variableGrads(loss, parameters.variables);
  const step = 1e-2;
  for (const [k, variable] of parameters.variables.entries()) {
    const start = Float32Array.from(variable.dataSync());
    const gradient = grads[variable.name]!.dataSync();
    const numeric = start.map((value, i) => {
      const [above, below] = [step, -step].map((change) => {
        parameters.assign(variable, start.with(i, value + change));
        return tf.tidy(() => loss().dataSync()[0]!);
      });
      return (above! - below!) / (2 * step);
    });
    parameters.assign(variable, start);
    const largest = Math.max(...Array.from(gradient, Math.abs));
    assert.ok(largest > 1e-3, parameters.names[k]);
    // a float32 loss of order 10 has noise 1e-6 / 2e-2; the rest is curvature
    assertAllClose(gradient, numeric, { atol: 2e-2, rtol: 2e-2 });
  }
  tf.dispose([weights, grads]);
  parameters.dispose();
});
