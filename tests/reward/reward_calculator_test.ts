import assert from "node:assert/strict";
import {
  REWARD_BREAKDOWN_KEYS,
  REWARD_TERMS,
  type RewardBreakdown,
  RewardCalculator,
  rewardSchema,
} from "../../lib/reward/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { type FakeReplica, fakeView } from "../state/_fake_cluster.ts";

/** Sums of a few terms in another order than the code's. */
const ROUNDING = { rtol: 1e-12, atol: 1e-12 };

function queue(waiting: number, running = 0, kvBlocksUsed = 0): FakeReplica {
  return { waiting: Array.from({ length: waiting }, () => ({})), running, kvBlocksUsed };
}

function calculatorOf(config: Record<string, unknown>): RewardCalculator {
  const calculator = new RewardCalculator(
    rewardSchema.parse({ metrics: { scope: "lifetime" }, ...config }),
  );
  calculator.reset(new Float64Array(10));
  return calculator;
}

/**
 * Two decisions at 10 s and 20 s. By 10 s request 0 took 4 s, by 20 s request 1 took 16 s:
 * throughputs 0.1 and 0.1, mean latencies 4 and 10.
 */
function secondReward(
  config: Record<string, unknown>,
  replicas: readonly FakeReplica[] = [queue(0), queue(0)],
): RewardBreakdown {
  const calculator = calculatorOf(config);
  calculator.onCompleted(0, 0, 4);
  calculator.evaluate(10, fakeView(10, replicas));
  calculator.onCompleted(1, 1, 16);
  return calculator.evaluate(20, fakeView(20, replicas));
}

Deno.test("RewardCalculator mode delta rewards changes since the last decision", () => {
  const replicas = [queue(3, 0, 50), queue(1, 0, 20)];
  const parts = secondReward({ mode: "delta", loadBalanceOn: "waiting" }, replicas);
  assert.equal(parts.throughput, 0.1);
  assert.equal(parts.latencySeconds, 10);
  assert.equal(parts.throughputTerm, 0);
  assert.equal(parts.latencyTerm, -6);
  assertAllClose([parts.utilizationRangeTerm], [-0.1 * 0.3], ROUNDING);
  assert.equal(parts.loadBalanceTerm, -0.15 * 0.5);
  assertAllClose([parts.thresholdTerm], [-0.5 * (1 - Math.exp(-4))], ROUNDING);
  assertAllClose([parts.reward], [-6 - 0.03 - 0.075 - 0.5 * (1 - Math.exp(-4))], ROUNDING);
});

Deno.test("RewardCalculator mode instant rewards the level of the metrics", () => {
  const parts = secondReward({ mode: "instant", latencyWeight: 2 });
  assertAllClose([parts.reward], [0.1 - 2 * 10 - 0.5 * (1 - Math.exp(-4))], ROUNDING);
  assert.equal(parts.throughputTerm, 0.1);
  assert.equal(parts.latencyTerm, -20);
});

Deno.test("RewardCalculator mode hybrid is the document's sum", () => {
  const parts = secondReward({ mode: "hybrid" }, [queue(0, 3), queue(0, 1)]);
  // Averages with weight 0.1: throughput 0.1, latency 0.9 * 4 + 0.1 * 10 = 4.6.
  assertAllClose([parts.throughputEma, parts.latencyEmaSeconds], [0.1, 4.6], ROUNDING);
  const absolute = 0.8 * (0.1 / 0.1 - 0.1 * (10 / 6));
  const delta = 0.2 * (0.3 * 0 - 0.2 * ((10 - 4.6) / 4.6));
  const logistic = 0.05 / (1 + Math.exp(-(10 - 6) / 2));
  assertAllClose(
    [parts.absoluteTerm, parts.deltaTerm, parts.loadBalanceTerm, parts.logisticTerm],
    [absolute, delta, -0.15 * 0.5, -logistic],
    ROUNDING,
  );
  assertAllClose([parts.reward], [absolute + delta - 0.075 - logistic], ROUNDING);
  assert.equal(parts.loadStdTerm, 0);
  assert.equal(parts.thresholdTerm, 0);
});

Deno.test("RewardCalculator mode hybrid adds the original code's deviation of the load on demand", () => {
  const parts = secondReward({ loadStdWeight: 2, loadBalanceMeasure: "cvExp" }, [
    queue(0, 3),
    queue(0, 1),
  ]);
  assert.equal(parts.loadStdTerm, -2);
  assertAllClose([parts.loadBalanceTerm], [-0.15 * 0.5 * Math.exp(0.5)], ROUNDING);
});

Deno.test("RewardCalculator mode hybrid adds the later code's terms on demand", () => {
  const config = { extremeImbalanceWeight: 5, inefficiencyWeight: 5, overProvisionWeight: 0.1 };
  const replicas = [queue(0, 9), queue(0, 1)];
  // Throughput 0.1, latency 10, target 0.05 / 6: efficiency 0.01 / 0.008333 = 1.2, within bounds.
  const parts = secondReward(config, replicas);
  assertAllClose([parts.extremeImbalanceTerm], [-5 * 0.01], ROUNDING);
  assert.equal(parts.efficiencyTerm, 0);
  // A target of 0.1 makes that 0.6, one of 0.02 makes it 3.
  const short = secondReward({ ...config, throughputTarget: 0.1 }, replicas);
  assertAllClose([short.efficiencyTerm], [-5 * 0.2], { rtol: 1e-6 });
  const ample = secondReward({ ...config, throughputTarget: 0.02 }, replicas);
  assertAllClose([ample.efficiencyTerm], [-0.1 * 1.5], { rtol: 1e-6 });
  const idle = calculatorOf({ mode: "hybrid", ...config }).evaluate(10, fakeView(10, [queue(0)]));
  assert.equal(idle.efficiencyTerm, 0, "nothing has completed");
  const plain = secondReward({}, replicas);
  assertAllClose([parts.rawReward], [plain.rawReward - 0.05], ROUNDING);
});

Deno.test("RewardCalculator rewards evenly spread decisions on demand, over a window", () => {
  for (const mode of ["delta", "instant", "hybrid"]) {
    const calculator = calculatorOf({ mode, actionBalanceWeight: 0.1, actionBalanceWindow: 20 });
    calculator.reset(new Float64Array(100));
    const view = fakeView(0, [queue(0), queue(0)]);
    const termAfter = (replicas: readonly number[]): number => {
      replicas.forEach((replica, request) => calculator.onRouted(request, replica, 0));
      return calculator.evaluate(0, view).actionBalanceTerm;
    };
    assert.equal(termAfter(new Array(9).fill(0)), 0, "too few");
    assert.equal(termAfter([0]), -0.1);
    assert.equal(termAfter(new Array(10).fill(1)), 0.1);
    // The window of 20 has forgotten the first replica.
    assert.equal(termAfter(new Array(10).fill(1)), -0.1);
    calculator.reset(new Float64Array(100));
    assert.equal(calculator.evaluate(0, view).actionBalanceTerm, 0);
  }
});

Deno.test("RewardCalculator has no change to reward until two decisions saw completions", () => {
  const calculator = calculatorOf({ mode: "delta" });
  const view = fakeView(0, [queue(0), queue(0)]);
  assert.equal(calculator.evaluate(1, view).reward, 0);
  assert.equal(calculator.evaluate(2, view).reward, 0);
  calculator.onCompleted(0, 0, 3);
  const first = calculator.evaluate(3, view);
  assert.equal(first.latencySeconds, 3);
  assert.equal(first.reward, 0);
  calculator.onCompleted(1, 0, 5);
  // Latencies 3 and 5: the mean rises by 1; 1/3 becomes 2/5 completions a second.
  assertAllClose([calculator.evaluate(5, view).reward], [2 / 5 - 1 / 3 - 1], ROUNDING);
});

Deno.test("RewardCalculator mode sojourn pays every job-second and sums to the total sojourn", () => {
  const calculator = calculatorOf({ mode: "sojourn" });
  calculator.reset([1, 2, 5]);
  const view = fakeView(0, [queue(0)]);
  const rewards: number[] = [];
  calculator.evaluate(1, view);
  rewards.push(calculator.evaluate(2, view).reward);
  calculator.onCompleted(0, 0, 4);
  rewards.push(calculator.evaluate(5, view).reward);
  calculator.onCompleted(1, 0, 6);
  calculator.onCompleted(2, 0, 9);
  rewards.push(calculator.evaluate(9, view).reward);
  assert.deepEqual(rewards, [-1, -(2 * 2 + 1), -(2 + 3)]);
  // Sojourns 3, 4 and 4 s.
  assert.equal(rewards.reduce((sum, reward) => sum + reward, 0), -11);
});

Deno.test("RewardCalculator counts only replicas that may be chosen as unbalanced", () => {
  const down: FakeReplica = { ...queue(9, 9, 90), available: false };
  const parts = secondReward({ mode: "instant" }, [queue(1), down, queue(1)]);
  assert.equal(parts.loadBalanceTerm, 0);
  assert.equal(parts.utilizationRangeTerm, 0);
});

Deno.test("RewardCalculator looks at a window of time by default", () => {
  const calculator = new RewardCalculator(rewardSchema.parse({ mode: "instant" }));
  calculator.reset([0, 0]);
  calculator.onCompleted(0, 0, 2);
  calculator.onCompleted(1, 0, 19);
  const { throughput, latencySeconds } = calculator.evaluate(20, fakeView(20, [queue(0)]));
  assert.deepEqual([throughput, latencySeconds], [1 / 8, 19]);
});

Deno.test("RewardCalculator gives every component in every mode, and the terms sum to the raw reward", () => {
  for (const mode of ["delta", "instant", "hybrid", "sojourn", "request"]) {
    const parts = secondReward({ mode, squash: "tanh", loadStdWeight: 1 }, [
      queue(2, 1, 9),
      queue(0),
    ]);
    assert.deepEqual(Object.keys(parts), [...REWARD_BREAKDOWN_KEYS]);
    assert.ok(REWARD_BREAKDOWN_KEYS.every((key) => Number.isFinite(parts[key])));
    const sum = REWARD_TERMS.reduce((total, key) => total + parts[key], 0);
    assertAllClose([parts.rawReward], [sum], ROUNDING);
    if (mode === "request") continue;
    const scale = mode === "hybrid" ? 1 : 3;
    assertAllClose([parts.reward], [Math.tanh(parts.rawReward / scale)], ROUNDING);
  }
});

Deno.test("RewardCalculator mode request squashes each account and sums them", () => {
  const calculator = calculatorOf({ mode: "request", squash: "tanh" });
  for (const request of [0, 1]) calculator.onRouted(request, 0, 0);
  calculator.onCompleted(1, 0, 2);
  calculator.onCompleted(0, 0, 3);
  const { reward, requestTerm } = calculator.evaluate(3, fakeView(3, [queue(0)]));
  assert.deepEqual(
    calculator.credits.map((credit) => [credit.request, credit.reward]),
    [[1, Math.tanh(-2 / 3)], [0, Math.tanh(-1)]],
  );
  assert.equal(reward, Math.tanh(-2 / 3) + Math.tanh(-1));
  assert.equal(requestTerm, reward);
  assert.equal(calculator.evaluate(4, fakeView(4, [queue(0)])).reward, 0);
  assert.deepEqual(calculator.credits, []);
});

Deno.test("RewardCalculator mode request counts first tokens where they have a weight", () => {
  const calculator = calculatorOf({ mode: "request", ttftWeight: 3 });
  calculator.onRouted(0, 0, 1);
  calculator.onFirstToken(0, 0, 2);
  calculator.onCompleted(0, 0, 5);
  // It arrived at 0 s: latency 5 s, first token after 2 s.
  assert.equal(calculator.evaluate(5, fakeView(5, [queue(0)])).requestTerm, -(5 + 3 * 2));
});

Deno.test("RewardCalculator watches stage executions in mode request only", () => {
  assert.equal(typeof calculatorOf({ mode: "request" }).onBatchStageEnd, "function");
  assert.equal(calculatorOf({ mode: "sojourn" }).onBatchStageEnd, undefined);
});

Deno.test("RewardCalculator.reset() forgets the episode before", () => {
  const used = calculatorOf({ mode: "hybrid" });
  const view = fakeView(0, [queue(1), queue(0)]);
  used.onRouted(0, 0, 1);
  used.onCompleted(0, 0, 7);
  used.evaluate(8, view);
  used.reset(new Float64Array(10));
  const fresh = calculatorOf({ mode: "hybrid" });
  for (const calculator of [used, fresh]) {
    calculator.onCompleted(1, 0, 2);
    calculator.evaluate(3, view);
    calculator.onCompleted(2, 0, 4);
  }
  assert.deepEqual(used.evaluate(5, view), fresh.evaluate(5, view));
});

Deno.test("rewardSchema has the document's defaults and refuses what it does not know", () => {
  const config = rewardSchema.parse({});
  assert.equal(config.mode, "hybrid");
  assert.deepEqual(
    [config.throughputTarget, config.absoluteWeight, config.deltaWeight, config.alpha],
    [0.05, 0.8, 0.2, 0.1],
  );
  assert.equal(config.latencyThresholdSeconds, 6);
  assert.equal(rewardSchema.safeParse({ rewardMode: "delta" }).success, false);
  assert.equal(rewardSchema.safeParse({ sigma: 0 }).success, false);
  assert.equal(rewardSchema.safeParse({ latencyWeight: -1 }).success, false);
});
