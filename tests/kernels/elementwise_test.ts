import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { planBroadcast } from "../../lib/kernels/tfjs/elementwise.ts";
import { gelu } from "../../lib/kernels/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { normalCdf } from "./_float64.ts";
import { normals, testOnBackends } from "./_simd.ts";

/** Arguments of all magnitudes, both signs. */
const ARGUMENTS = [
  ...[0, 1e-30, 1e-6, 0.01, 0.3, 0.6249, 0.6251, 1, 2.5, 5, 9, 17, 40, 88, 95, 104, 1e10],
].flatMap((x) => [Math.fround(x), Math.fround(-x)]);

/** 4 units in the last place of float32. */
const ULPS = { rtol: 4 * 2 ** -24, atol: 1e-44 };

const UNARY: readonly [string, (x: tf.Tensor) => tf.Tensor, (x: number) => number][] = [
  ["relu", tf.relu, (x) => Math.max(x, 0)],
  ["exp", tf.exp, (x) => Math.fround(Math.exp(x))],
  ["tanh", tf.tanh, Math.tanh],
  ["neg", tf.neg, (x) => -x],
  ["square", tf.square, (x) => Math.fround(x * x)],
  ["abs", tf.abs, Math.abs],
  ["reciprocal", tf.reciprocal, (x) => 1 / x],
];

for (const [name, f, reference] of UNARY) {
  testOnBackends(`${name}() equals float64 to a few ulp`, () => {
    const values = f(tf.tensor1d(ARGUMENTS)).dataSync();
    assertAllClose(values, ARGUMENTS.map(reference), ULPS);
  });
}

testOnBackends("sigmoid() equals float64 to a few ulp", () => {
  // exp(-x) overflows below -88.7: there the kernel's result is 0 instead of something below 1e-38.
  const reference = ARGUMENTS.map((x) => 1 / (1 + Math.exp(-x)));
  assertAllClose(tf.sigmoid(tf.tensor1d(ARGUMENTS)).dataSync(), reference, {
    rtol: 8 * 2 ** -24,
    atol: 1e-38,
  });
});

testOnBackends("log(), sqrt() and rsqrt() equal float64 to a few ulp", () => {
  const positive = [...ARGUMENTS.filter((x) => x > 0), Math.fround(1e-42), Math.fround(3e38)];
  const x = tf.tensor1d(positive);
  assertAllClose(tf.log(x).dataSync(), positive.map(Math.log), ULPS);
  assertAllClose(tf.sqrt(x).dataSync(), positive.map(Math.sqrt), ULPS);
  assertAllClose(tf.rsqrt(x).dataSync(), positive.map((value) => 1 / Math.sqrt(value)), ULPS);
});

testOnBackends("gelu() is x Phi(x), and its gradient Phi(x) + x phi(x)", () => {
  const arguments_ = ARGUMENTS.filter((x) => Math.abs(x) < 20);
  const x = tf.tensor1d(arguments_);
  const expected = arguments_.map((value) => value * normalCdf(Math.min(value, 10)));
  // The approximation of Phi is good to 2e-7.
  const tolerance = { rtol: 4e-7, atol: 4e-7 };
  assertAllClose(gelu(x).dataSync(), expected, tolerance);
  const slope = arguments_.map((value) =>
    normalCdf(Math.min(value, 10)) + value * Math.exp(-0.5 * value * value) / Math.sqrt(2 * Math.PI)
  );
  const gradient = tf.grad((at) => gelu(at))(x);
  assertAllClose(gradient.dataSync(), slope, tolerance);
});

testOnBackends("pointwise functions pass NaN on and take infinities to their limits", () => {
  const x = tf.tensor1d([NaN, Infinity, -Infinity]);
  const values = (f: (x: tf.Tensor1D) => tf.Tensor) => [...f(x).dataSync()];
  assert.deepEqual(values(tf.relu), [NaN, Infinity, 0]);
  assert.deepEqual(values(tf.exp), [NaN, Infinity, 0]);
  assert.deepEqual(values(tf.tanh), [NaN, 1, -1]);
  assert.deepEqual(values(tf.sigmoid), [NaN, 1, 0]);
  assert.deepEqual(values(tf.log), [NaN, Infinity, NaN]);
  assert.deepEqual(values((at) => gelu(at)), [NaN, Infinity, -0]);
  assert.deepEqual([...tf.log(tf.tensor1d([0, -1])).dataSync()], [-Infinity, NaN]);
  assert.deepEqual(values((at) => tf.clipByValue(at, -2, 3)), [NaN, 3, -2]);
  assert.deepEqual(values((at) => tf.maximum(at, 0)), [NaN, Infinity, 0]);
});

/** A shape of up to three axes and one that broadcasts against it. */
const SHAPES = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 5 }), fc.constantFrom("full", "a", "b")),
  { minLength: 0, maxLength: 3 },
).map((axes) => ({
  a: axes.map(([size, who]) => (who === "a" ? 1 : size)),
  b: axes.map(([size, who]) => (who === "b" ? 1 : size)),
}));

testOnBackends("binary functions broadcast as tfjs's cpu kernels do", () => {
  fc.assert(
    fc.property(SHAPES, fc.integer({ min: 0, max: 3 }), ({ a, b }, dropped) => {
      const shapeB = b.slice(Math.min(dropped, b.findIndex((size) => size !== 1) >>> 0));
      const sizeOf = (shape: number[]) => shape.reduce((product, size) => product * size, 1);
      const [x, y] = [normals(sizeOf(a), 1), normals(sizeOf(shapeB), 2)];
      const full = tf.backend_util.assertAndGetBroadcastShape(a, shapeB);
      const at = (values: number[], shape: number[], index: number[]) => {
        let offset = 0;
        shape.forEach((size, axis) => {
          const i = index[index.length - shape.length + axis]!;
          offset = offset * size + (size === 1 ? 0 : i);
        });
        return values[offset]!;
      };
      const indices = Array.from({ length: sizeOf(full) }, (_, flat) => {
        const index = new Array<number>(full.length);
        for (let axis = full.length - 1; axis >= 0; axis--) {
          index[axis] = flat % full[axis]!;
          flat = Math.floor(flat / full[axis]!);
        }
        return index;
      });
      for (
        const [f, reference] of [
          [tf.add, (p, q) => p + q],
          [tf.sub, (p, q) => p - q],
          [tf.mul, (p, q) => p * q],
          [tf.div, (p, q) => p / q],
          [tf.maximum, Math.max],
          [tf.minimum, Math.min],
          [tf.squaredDifference, (p, q) => (p - q) ** 2],
        ] as [typeof tf.add, (p: number, q: number) => number][]
      ) {
        const result = tf.tidy(() => f(tf.tensor(x, a), tf.tensor(y, shapeB)));
        assert.deepEqual(result.shape, full);
        const expected = indices.map((index) =>
          Math.fround(reference(at(x, a, index), at(y, shapeB, index)))
        );
        // tfjs's own kernels compute in float64 and round once.
        assertAllClose(result.dataSync(), expected, { rtol: 2 ** -22 });
        result.dispose();
      }
    }),
    { numRuns: 60, seed: 2 },
  );
});

Deno.test("planBroadcast() finds rows and columns where there are any", () => {
  const plan = planBroadcast([2, 1, 4], [3, 1]);
  assert.equal(plan, undefined); // complete x repeated x complete: left to tfjs
  const bias = planBroadcast([2, 3, 4], [4])!;
  assert.deepEqual([bias.rows, bias.columns, bias.b], [6, 4, { row: 0, column: 1 }]);
});

testOnBackends("integers are left to tfjs", () => {
  const sum = tf.add(tf.tensor1d([1, 2], "int32"), tf.scalar(3, "int32"));
  assert.equal(sum.dtype, "int32");
  assert.deepEqual([...sum.dataSync()], [4, 5]);
});
