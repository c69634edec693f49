import {
  requestRows,
  requestsSchema,
  summarizeRequests,
  summarizeRuns,
  summaryColumns,
  summarySchema,
  tableFromRows,
} from "@signalbox/signalbox/metrics";
import type { SimulationResult } from "@signalbox/signalbox/simulator";
import type { Workload } from "@signalbox/signalbox/workload";
import assert from "node:assert/strict";

const labels = { trialId: "t0", policy: "ppo", trainingSeed: 3, evaluationSeed: 9 };

/** Four requests: done, done with one token, cut off while running, never routed. */
const workload: Workload = {
  name: "four",
  count: 4,
  arrivalSeconds: Float64Array.of(1, 2, 3, 4),
  promptTokens: Int32Array.of(10, 20, 30, 40),
  outputTokens: Int32Array.of(5, 1, 7, 9),
};
const result: SimulationResult = {
  outcomes: {
    replica: Int32Array.of(0, 2, 0, -1),
    scheduledSeconds: Float64Array.of(1.5, 2, 3.25, NaN),
    firstTokenSeconds: Float64Array.of(2, 2.5, 3.5, NaN),
    completedSeconds: Float64Array.of(6, 2.5, NaN, NaN),
    executionSeconds: Float64Array.of(4, 0.5, 1, 0),
    modelExecutionSeconds: Float64Array.of(4, 0.5, 1, 0),
    preemptedSeconds: Float64Array.of(0.5, 0, 0, 0),
    restarts: Int32Array.of(1, 0, 1, 0),
  },
  endSeconds: 7,
  batchCount: 9,
  eventCount: 40,
  unfinishedCount: 2,
};

Deno.test("requestRows() says null where something did not happen", () => {
  const rows = [...requestRows(labels, workload, result.outcomes)];
  assert.deepEqual(rows[0], {
    trial_id: "t0",
    policy: "ppo",
    training_seed: 3,
    evaluation_seed: 9,
    request: 0,
    arrival_seconds: 1,
    prompt_tokens: 10,
    output_tokens: 5,
    replica: 0,
    scheduled_seconds: 1.5,
    first_token_seconds: 2,
    completed_seconds: 6,
    ttft_seconds: 1,
    e2e_seconds: 5,
    tpot_seconds: 1, // four seconds between the first and the fifth token
    scheduling_delay_seconds: 0.5,
    execution_seconds: 4,
    model_execution_seconds: 4,
    preempted_seconds: 0.5,
    restarts: 1,
    priority: 0,
    ttft_slo_seconds: null,
    tpot_slo_seconds: null,
    e2e_slo_seconds: null,
    meets_slo: null,
  });
  assert.equal(rows[1]?.tpot_seconds, null);
  assert.equal(rows[1]?.e2e_seconds, 0.5);
  assert.deepEqual(
    [
      rows[2]?.ttft_seconds,
      rows[2]?.completed_seconds,
      rows[2]?.e2e_seconds,
      rows[2]?.tpot_seconds,
    ],
    [0.5, null, null, null],
  );
  assert.deepEqual(
    [rows[3]?.replica, rows[3]?.scheduled_seconds, rows[3]?.ttft_seconds],
    [null, null, null],
  );
  assert.equal(tableFromRows(requestsSchema, rows).numRows, 4);
});

Deno.test("requestRows() judges every request by its own targets, limits included", () => {
  const none = Infinity;
  const promised: Workload = {
    ...workload,
    priority: Int32Array.of(2, 0, 0, 0),
    slos: {
      ttftSeconds: Float64Array.of(1, none, 10, none),
      tpotSeconds: Float64Array.of(0.999, none, none, none),
      e2eSeconds: Float64Array.of(none, 0.5, none, none),
    },
  };
  const verdicts = (of: Workload): unknown[] =>
    [...requestRows(labels, of, result.outcomes)].map((row) => row.meets_slo);
  // Exceeds the second target, meets the only one, was cut off, was promised nothing.
  assert.deepEqual(verdicts(promised), [false, true, false, null]);
  const lenient = { ...promised.slos, tpotSeconds: Float64Array.of(1, none, none, none) };
  assert.deepEqual(verdicts({ ...promised, slos: lenient }), [true, true, false, null]);
  const [first] = requestRows(labels, promised, result.outcomes);
  assert.deepEqual(
    [first?.priority, first?.ttft_slo_seconds, first?.tpot_slo_seconds, first?.e2e_slo_seconds],
    [2, 1, 0.999, null],
  );
});

Deno.test("summarizeRequests() is over completed requests and counts the others", () => {
  const summary = summarizeRequests(workload, result, 3);
  assert.deepEqual(summary, {
    requestCount: 4,
    unfinishedCount: 2,
    e2eMeanSeconds: 2.75,
    e2eP50Seconds: 2.75,
    e2eP99Seconds: 0.5 + 0.99 * 4.5,
    ttftMeanSeconds: 0.75,
    ttftP99Seconds: 0.5 + 0.99 * 0.5,
    tpotMeanSeconds: 1,
    tpotP99Seconds: 1,
    schedulingDelayMeanSeconds: 0.25,
    requestsPerSecond: 2 / 5, // from the first arrival at 1 s to the last completion at 6 s
    outputTokensPerSecond: 6 / 5,
    restartCount: 2,
    replicaShares: [2 / 3, 0, 1 / 3],
  });
  assert.equal(tableFromRows(summarySchema, [summaryColumns(summary)]).numRows, 1);
});

Deno.test("summarizeRequests() has no time per token when no output has two", () => {
  const summary = summarizeRequests(
    { ...workload, outputTokens: new Int32Array(4).fill(1) },
    result,
    3,
  );
  assert.equal(summary.tpotMeanSeconds, null);
  assert.equal(summary.tpotP99Seconds, null);
});

Deno.test("request tables refuse results that do not fit", () => {
  assert.throws(() => summarizeRequests(workload, result, 2), {
    name: "RangeError",
    message:
      "Cannot summarise requests: replicaCount must be > 2, the replica of a request, current value is 2",
  });
  const none = { ...result.outcomes, completedSeconds: new Float64Array(4).fill(NaN) };
  assert.throws(() => summarizeRequests(workload, { ...result, outcomes: none }, 3), {
    name: "RangeError",
    message: "Cannot summarise requests: at least one must have completed, current count is 0 of 4",
  });
  const longer = { ...workload, count: 5 };
  assert.throws(() => [...requestRows(labels, longer, result.outcomes)], {
    name: "TypeError",
    message: "Cannot read outcomes: they must be of 5 requests, current length is 4",
  });
});

Deno.test("summarizeRuns() pools latencies and adds up the spans of its runs", () => {
  const once = summarizeRuns([{ workload, result }], 3);
  assert.deepEqual(once, summarizeRequests(workload, result, 3));
  const later = { ...workload, arrivalSeconds: workload.arrivalSeconds.map((time) => time - 1) };
  const both = summarizeRuns([{ workload, result }, { workload: later, result }], 3);
  assert.equal(both.requestCount, 8);
  assert.equal(both.e2eMeanSeconds, (5 + 0.5 + 6 + 1.5) / 4);
  assert.equal(both.requestsPerSecond, 4 / (5 + 6)); // spans from 1 s and from 0 s to 6 s
  assert.deepEqual(both.replicaShares, once.replicaShares);
});
