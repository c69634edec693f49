import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { chooseAction } from "../../lib/policy/categorical.ts";
import {
  categoricalEntropy,
  categoricalKl,
  categoricalLogProbabilities,
} from "../../lib/policy/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { assertAllClose } from "../_helpers.ts";

/** float32 against float64 hand values of order 1. */
const CLOSE = { atol: 1e-6 };

Deno.test("categoricalLogProbabilities() divides by the temperature and renormalises over the mask", () => {
  // logits (ln 4, 0) at T = 2: weights 4^(1/2) = 2 and 1; masked row: the only allowed action
  const values = tf.tidy(() =>
    categoricalLogProbabilities(
      tf.tensor2d([[Math.log(4), 0], [3, 5]]),
      tf.tensor2d([[2], [0.5]]),
      tf.tensor2d([[1, 1], [1, 0]]),
    ).dataSync()
  );
  assertAllClose(values.slice(0, 3), [Math.log(2 / 3), Math.log(1 / 3), 0], CLOSE);
  assert.equal(Math.exp(values[3]!), 0);
});

Deno.test("categoricalEntropy() and categoricalKl() match hand values, forbidden actions included", () => {
  const p = [0.5, 0.25, 0.25];
  const q = [0.2, 0.3, 0.5];
  const entropy = 0.5 * Math.log(2) + 0.5 * Math.log(4);
  const kl = p.reduce((sum, value, i) => sum + value * Math.log(value / q[i]!), 0);
  tf.tidy(() => {
    const logP = tf.tensor2d([p.map(Math.log), [0, -1e8, -1e8]]);
    const logQ = tf.tensor2d([q.map(Math.log), [0, -1e8, -1e8]]);
    assertAllClose(categoricalEntropy(logP as tf.Tensor2D).dataSync(), [entropy, 0], CLOSE);
    assertAllClose(
      categoricalKl(logP as tf.Tensor2D, logQ as tf.Tensor2D).dataSync(),
      [kl, 0],
      CLOSE,
    );
  });
});

function choose(
  logits: number[],
  options: { sampler: Rng | "greedy"; temperature?: number; mask?: number[] },
): { action: number; logProbabilities: Float32Array } {
  const logProbabilities = new Float32Array(logits.length);
  const action = chooseAction(Float32Array.from(logits), logProbabilities, {
    actionCount: logits.length,
    offset: 0,
    temperature: options.temperature ?? 1,
    actionMask: options.mask && Uint8Array.from(options.mask),
    sampler: options.sampler,
  });
  return { action, logProbabilities };
}

Deno.test("chooseAction() greedy takes the most probable allowed action, lowest index first", () => {
  assert.equal(choose([1, 3, 3], { sampler: "greedy" }).action, 1);
  assert.equal(choose([1, 3, 3], { sampler: "greedy", mask: [1, 0, 1] }).action, 2);
});

Deno.test("chooseAction() samples with the tempered probabilities", () => {
  const rng = new Rng(11);
  const counts = [0, 0, 0];
  const draws = 20000;
  for (let i = 0; i < draws; i++) {
    const logits = [Math.log(9), 5, 0];
    counts[choose(logits, { sampler: rng, temperature: 2, mask: [1, 0, 1] }).action]!++;
  }
  // weights 3 : 0 : 1; four standard errors of a share are 4 * sqrt(0.75 * 0.25 / 20000) = 0.012
  assert.equal(counts[1], 0);
  assertAllClose([counts[0]! / draws], [0.75], { atol: 0.013 });
});

Deno.test("chooseAction() writes the log-probabilities that training computes", () => {
  const { logProbabilities } = choose([0.3, -1.2, 2.1], {
    sampler: "greedy",
    temperature: 1.7,
    mask: [1, 1, 0],
  });
  const expected = tf.tidy(() =>
    categoricalLogProbabilities(
      tf.tensor2d([[0.3, -1.2, 2.1]]),
      tf.tensor2d([[1.7]]),
      tf.tensor2d([[1, 1, 0]]),
    ).dataSync()
  );
  assertAllClose(logProbabilities, expected, { atol: 1e-6, rtol: 1e-6 });
});

Deno.test("chooseAction() refuses a row without an allowed action and logits that are not finite", () => {
  assert.throws(() => choose([1, 2], { sampler: "greedy", mask: [0, 0] }), {
    name: "RangeError",
    message:
      "Cannot choose an action: actionMask must allow at least one action, current value is all 0",
  });
  assert.throws(() => choose([1, NaN], { sampler: "greedy" }), {
    name: "RangeError",
    message: "Cannot choose an action: logits must be finite, current value is NaN",
  });
});
