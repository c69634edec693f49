import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import {
  clippedSurrogateLoss,
  clippedValueLoss,
  entropyCeilingPenalty,
  entropyFloorPenalty,
  explainedVariance,
  normalizeAdvantages,
  ratioStatistics,
} from "../../lib/ppo/mod.ts";
import { assertAllClose } from "../_helpers.ts";

/** float32 against hand values of order 1. */
const CLOSE = { atol: 1e-6 };

Deno.test("clippedSurrogateLoss() is minus the mean of the smaller of plain and clipped", () => {
  const loss = tf.tidy(() =>
    clippedSurrogateLoss(tf.tensor1d([1.5, 0.5, 1.1, 0.5]), tf.tensor1d([1, 1, -2, -1]), 0.2)
      .dataSync()
  );
  // min(1.5, 1.2) = 1.2; min(.5, .8) = .5; -2.2; min(-.5, -.8) = -.8
  assertAllClose(loss, [-(1.2 + 0.5 - 2.2 - 0.8) / 4], CLOSE);
});

Deno.test("clippedSurrogateLoss() has no gradient where the clip is active", () => {
  const gradient = tf.tidy(() =>
    tf.grad((ratios) => clippedSurrogateLoss(ratios as tf.Tensor1D, tf.tensor1d([1, 1, -1]), 0.2))(
      tf.tensor1d([1.5, 0.5, 0.5]),
    ).dataSync()
  );
  assertAllClose(gradient, [0, -1 / 3, 0], CLOSE);
});

Deno.test("clippedValueLoss() is half the mean square, of the worse of plain and clipped", () => {
  const values = [1, 2, -1];
  const targets = {
    oldValues: [0, 2.1, -1],
    returns: [2, 2.5, 0],
  };
  function loss(valueClipRatio: number | null): Float32Array {
    return tf.tidy(() =>
      clippedValueLoss(tf.tensor1d(values), {
        oldValues: tf.tensor1d(targets.oldValues),
        returns: tf.tensor1d(targets.returns),
        valueClipRatio,
      }).dataSync() as Float32Array
    );
  }
  assertAllClose(loss(null), [0.5 * (1 + 0.25 + 1) / 3], CLOSE);
  // first value may move to 0.3 only: (0.3 - 2)^2 = 2.89
  assertAllClose(loss(0.3), [0.5 * (2.89 + 0.25 + 1) / 3], CLOSE);
});

Deno.test("entropyFloorPenalty() pushes the entropy up below the floor and is silent above", () => {
  function penaltyAndGradient(entropy: number): number[] {
    return tf.tidy(() => {
      const { value, grad } = tf.valueAndGrad((x) => entropyFloorPenalty(x as tf.Scalar, 0.5))(
        tf.scalar(entropy),
      );
      return [value.dataSync()[0]!, grad.dataSync()[0]!];
    });
  }
  assertAllClose(penaltyAndGradient(0.2), [0.3, -1], CLOSE);
  assert.deepEqual(penaltyAndGradient(0.7).map(Math.abs), [0, 0]);
});

Deno.test("entropyCeilingPenalty() pushes the entropy down above the ceiling and is silent below", () => {
  function penaltyAndGradient(entropy: number): number[] {
    return tf.tidy(() => {
      const { value, grad } = tf.valueAndGrad((x) => entropyCeilingPenalty(x as tf.Scalar, 1.1))(
        tf.scalar(entropy),
      );
      return [value.dataSync()[0]!, grad.dataSync()[0]!];
    });
  }
  assertAllClose(penaltyAndGradient(1.3), [0.2, 1], CLOSE);
  assert.deepEqual(penaltyAndGradient(0.7).map(Math.abs), [0, 0]);
});

Deno.test("ratioStatistics() gives k1, k3, the clip fraction and the largest deviation", () => {
  const { oldApproxKl, approxKl, clipFraction, maxRatioDeviation } = ratioStatistics(
    [Math.log(0.5), Math.log(0.25)],
    [Math.log(0.4), Math.log(0.5)],
    0.3,
  );
  // ratios 1.25 and 0.5
  assertAllClose([oldApproxKl], [-(Math.log(1.25) + Math.log(0.5)) / 2], { atol: 1e-12 });
  assertAllClose([approxKl], [(0.25 - Math.log(1.25) - 0.5 - Math.log(0.5)) / 2], { atol: 1e-12 });
  assert.equal(clipFraction, 0.5);
  assertAllClose([maxRatioDeviation], [0.5], { atol: 1e-12 });
});

Deno.test("explainedVariance() is 1 - Var(error) / Var(target), NaN for constant targets", () => {
  // errors (0, 1): variance 1/4; targets (1, 3): variance 1
  assert.equal(explainedVariance([1, 2], [1, 3]), 0.75);
  assert.ok(Number.isNaN(explainedVariance([1, 2], [3, 3])));
});

Deno.test("normalizeAdvantages() gives mean 0 and deviation 1, and leaves a single one alone", () => {
  assertAllClose(normalizeAdvantages(new Float32Array([1, 3])), [-1, 1], CLOSE);
  assertAllClose(normalizeAdvantages(new Float32Array([4, 4, 4])), [0, 0, 0], CLOSE);
  assert.deepEqual([...normalizeAdvantages(new Float32Array([4]))], [4]);
});
