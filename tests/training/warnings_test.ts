import { trainingWarnings, type WarningInput } from "../../lib/training/_warnings.ts";
import assert from "node:assert/strict";

/** An update that nothing is wrong with. */
const HEALTHY: WarningInput = {
  actionShares: [0.3, 0.3, 0.2, 0.2],
  entropy: 1.2,
  rewardMean: -2,
  rewardStd: 0.5,
  gradNorm: 0.1,
};

function kinds(changes: Partial<WarningInput>): string[] {
  return trainingWarnings({ ...HEALTHY, ...changes }).map(({ kind }) => kind);
}

Deno.test("trainingWarnings() is silent about a healthy update", () => {
  assert.deepEqual(kinds({}), []);
});

Deno.test("trainingWarnings() sees that one replica gets nearly everything", () => {
  const warnings = trainingWarnings({ ...HEALTHY, actionShares: [0.01, 0.9, 0.05, 0.04] });
  assert.deepEqual(warnings, [{
    kind: "action_collapse",
    value: 0.9,
    limit: 0.85,
    message: "replica 1 gets 90 % of all requests",
  }]);
  assert.deepEqual(kinds({ actionShares: [0.85, 0.05, 0.05, 0.05] }), []);
});

Deno.test("trainingWarnings() sees decisions without entropy, once a collapse", () => {
  // A tenth of ln 4 is 0.1386.
  assert.deepEqual(kinds({ entropy: 0.138 }), ["action_collapse"]);
  assert.deepEqual(kinds({ entropy: 0.139 }), []);
  assert.deepEqual(kinds({ entropy: 0, actionShares: [1, 0, 0, 0] }), ["action_collapse"]);
  assert.deepEqual(kinds({ entropy: 0, actionShares: [1] }), [], "there is nothing to choose");
});

Deno.test("trainingWarnings() sees rewards that say nothing", () => {
  assert.deepEqual(kinds({ rewardStd: 0, rewardMean: 0 }), ["reward_staleness"]);
  assert.deepEqual(kinds({ rewardStd: 0.0019 }), ["reward_staleness"]);
  assert.deepEqual(kinds({ rewardStd: 0.0021 }), []);
  assert.deepEqual(kinds({ rewardStd: 0.0001, rewardMean: 0 }), []);
});

Deno.test("trainingWarnings() sees a gradient that moves nothing", () => {
  assert.deepEqual(kinds({ gradNorm: 0.99e-6 }), ["vanishing_gradient"]);
  assert.deepEqual(kinds({ gradNorm: 0 }), ["vanishing_gradient"]);
  assert.deepEqual(kinds({ gradNorm: 1e-6 }), []);
});

Deno.test("trainingWarnings() passes alerts of the tail-latency monitor on", () => {
  const tailLatencyAlert = { nowSeconds: 9, p99Seconds: 7.25, thresholdSeconds: 5 };
  assert.deepEqual(trainingWarnings({ ...HEALTHY, tailLatencyAlert }), [{
    kind: "tail_latency",
    value: 7.25,
    limit: 5,
    message: "p99 latency 7.3 s is above 5 s",
  }]);
});
