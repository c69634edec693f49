import fc from "fast-check";
import assert from "node:assert/strict";
import {
  absoluteScore,
  actionBalance,
  efficiencyDeviation,
  extremeImbalance,
  latencyThresholdPenalty,
  loadImbalance,
  logisticLatencyPenalty,
  populationStd,
  relativeChange,
  squashReward,
} from "../../lib/reward/mod.ts";
import { assertAllClose } from "../_helpers.ts";

Deno.test("loadImbalance() has the values that the original code was seen to produce", () => {
  // spec/scheduler.md section 6.2, cv * e^cv for four replicas, two decimals.
  const table: [number[], number][] = [
    [[1, 0, 0, 0], 9.79],
    [[1, 1, 0, 0], 2.72],
    [[1, 1, 1, 0], 1.03],
    [[2, 1, 1, 1], 0.49],
    [[10, 8, 9, 8], 0.10],
  ];
  for (const [loads, expected] of table) {
    assertAllClose([loadImbalance(loads, "cvExp")], [expected], { atol: 0.005 });
  }
});

Deno.test("loadImbalance() is the coefficient of variation of the document", () => {
  // Deviations of 3, 1: mean 2, std 1.
  assert.equal(loadImbalance([3, 1], "cv"), 0.5);
  assert.equal(loadImbalance([3, 1], "cvDamped"), 1 / 3);
  assert.equal(loadImbalance([1, 1, 0, 0], "cv"), 1);
});

Deno.test("loadImbalance() is 0 without load and for fewer than two replicas", () => {
  for (const measure of ["cv", "cvExp", "cvDamped"] as const) {
    assert.equal(loadImbalance([0, 0, 0], measure), 0);
    assert.equal(loadImbalance([5], measure), 0);
    assert.equal(loadImbalance([], measure), 0);
  }
});

Deno.test("loadImbalance() does not depend on the order of replicas and only cv on no scale", () => {
  const loads = fc.array(fc.nat(50), { minLength: 2, maxLength: 6 });
  fc.assert(fc.property(loads, fc.integer({ min: 2, max: 9 }), (values, factor) => {
    for (const measure of ["cv", "cvExp", "cvDamped"] as const) {
      const reversed = [...values].reverse();
      // Sums in another order.
      assertAllClose([loadImbalance(reversed, measure)], [loadImbalance(values, measure)], {
        rtol: 1e-12,
      });
    }
    const scaled = values.map((value) => value * factor);
    assertAllClose([loadImbalance(scaled, "cv")], [loadImbalance(values, "cv")], { rtol: 1e-12 });
  }));
});

Deno.test("latencyThresholdPenalty() has the hand value and is 0 up to the threshold", () => {
  // spec/scheduler.md appendix A5: 0.5 * (1 - e^-3.4) = 0.4833.
  assertAllClose([latencyThresholdPenalty(9.4, 6, 0.5)], [0.4833], { atol: 5e-5 });
  assert.equal(latencyThresholdPenalty(6, 6, 0.5), 0);
  assert.equal(latencyThresholdPenalty(2, 6, 0.5), 0);
});

Deno.test("logisticLatencyPenalty() has the hand value and is half of kappa at the threshold", () => {
  const config = { kappa: 0.05, sigma: 2, latencyThresholdSeconds: 6 };
  // Appendix A5: 0.05 / (1 + e^-1.7) = 0.0423.
  assertAllClose([logisticLatencyPenalty(9.4, config)], [0.0423], { atol: 5e-5 });
  assert.equal(logisticLatencyPenalty(6, config), 0.025);
});

Deno.test("absoluteScore() has the hand value and the original's floors", () => {
  const config = { throughputTarget: 1.85, alpha: 0.1, latencyThresholdSeconds: 6 };
  // Appendix A5: 3.1 / 1.85 - 0.1 * 9.4 / 6 = 1.5190.
  assertAllClose([absoluteScore(3.1, 9.4, config)], [1.5190], { atol: 5e-5 });
  const tiny = { throughputTarget: 0.05, alpha: 1, latencyThresholdSeconds: 0.2 };
  assert.equal(absoluteScore(1, 1, tiny), 10 - 2);
});

Deno.test("extremeImbalance() is the squared excess of the largest share over 0.8", () => {
  assertAllClose([extremeImbalance([1, 0, 0, 0])], [0.04], { rtol: 1e-12 });
  assertAllClose([extremeImbalance([9, 1])], [0.01], { rtol: 1e-12 });
  assert.equal(extremeImbalance([8, 2]), 0);
  assert.equal(extremeImbalance([0, 0]), 0);
});

Deno.test("efficiencyDeviation() compares throughput per latency with its target", () => {
  const config = { throughputTarget: 2, latencyThresholdSeconds: 4 };
  // Target 2 / 4 = 0.5: 1 / 5 is 0.4 of it, 3 / 3 is 2 times, 2 / 4 is met.
  const { shortfall } = efficiencyDeviation(1, 5, config);
  assertAllClose([shortfall], [0.4], { rtol: 1e-6 });
  assertAllClose([efficiencyDeviation(3, 3, config).excess], [0.5], { rtol: 1e-6 });
  assert.deepEqual(efficiencyDeviation(2, 4, config), { shortfall: 0, excess: 0 });
  // The threshold counts as at least half a second.
  const tiny = { ...config, latencyThresholdSeconds: 0.1 };
  assertAllClose([efficiencyDeviation(1, 0.5, tiny).shortfall], [0.3], { rtol: 1e-6 });
});

Deno.test("actionBalance() runs from -1 for one replica to 1 for all alike", () => {
  assertAllClose([actionBalance([20, 0, 0, 0])], [-1], { rtol: 1e-12 });
  assert.equal(actionBalance([5, 5, 5, 5]), 1);
  // Shares 3/4 and 1/4: deviation 1/4, at worst 1/2, so the score is 1/2.
  assert.equal(actionBalance([9, 3]), 0);
  assert.equal(actionBalance([9, 0]), 0, "too few");
  assert.equal(actionBalance([20]), 0);
});

Deno.test("relativeChange() is bounded in its divisor", () => {
  assert.equal(relativeChange(3, 2), 0.5);
  assert.equal(relativeChange(1e-6, 0), 1);
});

Deno.test("populationStd() divides by the number of values", () => {
  assert.equal(populationStd([2, 4]), 1);
  assert.equal(populationStd([7]), 0);
});

Deno.test("squashReward() bounds like the revision it is named after", () => {
  assert.equal(squashReward(-9, "none", "hybrid"), -9);
  assert.equal(squashReward(3, "tanh", "delta"), Math.tanh(1));
  assert.equal(squashReward(3, "tanh", "hybrid"), Math.tanh(3));
  assert.equal(squashReward(1, "clip", "instant"), 0.5);
  assert.equal(squashReward(-100, "clip", "instant"), -3);
  assert.equal(squashReward(3, "clip", "hybrid"), 2);
  assert.equal(squashReward(100, "clip", "hybrid"), 4);
  assert.equal(squashReward(-4, "softlog", "delta"), -4);
  assert.equal(squashReward(-13, "softlog", "delta"), -(4 + Math.log(10)));
  assert.equal(squashReward(4.8, "softlog", "hybrid"), 4);
});

Deno.test("squashReward() never changes the order of rewards", () => {
  const value = fc.double({ min: -50, max: 50, noNaN: true });
  fc.assert(fc.property(value, value, (a, b) => {
    for (const squash of ["none", "tanh", "clip", "softlog"] as const) {
      for (const mode of ["delta", "hybrid"] as const) {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        assert.ok(squashReward(low, squash, mode) <= squashReward(high, squash, mode));
      }
    }
  }));
});
