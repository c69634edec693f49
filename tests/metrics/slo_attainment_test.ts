import assert from "node:assert/strict";
import { measureSloAttainment } from "../../lib/metrics/mod.ts";
import type { RequestOutcomes } from "../../lib/simulator/mod.ts";
import type { Workload } from "../../lib/workload/mod.ts";

/** TTFT 1, 2, 3 s; TPOT 0.5 s, none, 1 s; E2E 3, 2, 5 s; the fourth was cut off after 1 s. */
const workload: Workload = {
  name: "four",
  count: 4,
  arrivalSeconds: Float64Array.of(0, 1, 2, 3),
  promptTokens: Int32Array.of(10, 10, 10, 10),
  outputTokens: Int32Array.of(5, 1, 3, 9),
};
const outcomes: RequestOutcomes = {
  replica: new Int32Array(4),
  scheduledSeconds: Float64Array.of(0, 1, 2, 3),
  firstTokenSeconds: Float64Array.of(1, 3, 5, 4),
  completedSeconds: Float64Array.of(3, 3, 7, NaN),
  executionSeconds: new Float64Array(4),
  modelExecutionSeconds: new Float64Array(4),
  preemptedSeconds: new Float64Array(4),
  restarts: new Int32Array(4),
};

Deno.test("measureSloAttainment() counts limits in, unfinished requests out", () => {
  const targets = { ttftSeconds: 2, tpotSeconds: 0.5, e2eSeconds: 2.5 };
  assert.deepEqual(measureSloAttainment(workload, outcomes, targets, 8), {
    ttftFraction: 2 / 4,
    tpotFraction: 2 / 4, // the one-token output meets any
    e2eFraction: 1 / 4,
    allFraction: 1 / 4,
    goodputPerSecond: 1 / 8,
  });
});

Deno.test("measureSloAttainment() limits only what has a target, by request where they differ", () => {
  const { ttftFraction, e2eFraction, allFraction } = measureSloAttainment(workload, outcomes, {
    e2eSeconds: Float64Array.of(2.9, 2, Infinity, Infinity),
  }, 8);
  assert.equal(ttftFraction, 3 / 4);
  assert.equal(e2eFraction, 2 / 4);
  assert.equal(allFraction, 2 / 4);
});

Deno.test("measureSloAttainment() refuses targets of other requests or not > 0, and no time", () => {
  const measure = (targets: object, endSeconds = 8) => () =>
    measureSloAttainment(workload, outcomes, targets, endSeconds);
  assert.throws(measure({ ttftSeconds: 0 }), /RangeError.* ttftSeconds must be > 0/);
  assert.throws(measure({ tpotSeconds: NaN }), /RangeError.* tpotSeconds must be > 0/);
  assert.throws(
    measure({ e2eSeconds: Float64Array.of(1, 1, -1, 1) }),
    /RangeError.* e2eSeconds\[2\] must be > 0, current value is -1/,
  );
  assert.throws(
    measure({ e2eSeconds: Float64Array.of(1) }),
    /TypeError.* e2eSeconds must be of 4 requests/,
  );
  assert.throws(measure({}, 0), /RangeError.* endSeconds must be > 0/);
  const none = { ...workload, count: 3 };
  assert.throws(() => measureSloAttainment(none, outcomes, {}, 8), TypeError);
});
