import assert from "node:assert/strict";
import { keepsSlo, measureSlo, type Slo, sloSchema } from "../../lib/capacity/mod.ts";
import type { RequestOutcomes } from "../../lib/simulator/mod.ts";

const workload = {
  name: "three",
  count: 3,
  arrivalSeconds: Float64Array.of(0, 1, 2),
  promptTokens: Int32Array.of(1, 1, 1),
  outputTokens: Int32Array.of(5, 1, 3),
};

type LatencyMetric = Exclude<Slo["metric"], "slo_attainment">;

interface Run {
  readonly outcomes: RequestOutcomes;
  readonly endSeconds: number;
}

function runOf(completedSeconds: number[]): Run {
  const zeros = new Float64Array(3);
  const outcomes = {
    replica: new Int32Array(3),
    scheduledSeconds: Float64Array.of(0, 1.5, 4),
    firstTokenSeconds: Float64Array.of(1, 3, 6),
    completedSeconds: Float64Array.from(completedSeconds),
    executionSeconds: zeros,
    modelExecutionSeconds: zeros,
    preemptedSeconds: zeros,
    restarts: new Int32Array(3),
  };
  return { outcomes, endSeconds: 10 };
}

function measure(metric: LatencyMetric, quantile: number, completed = [9, 3, 7]): number {
  return measureSlo(workload, runOf(completed), { metric, quantile, limitSeconds: 1 });
}

Deno.test("measureSlo() takes the quantile of the metric", () => {
  assert.equal(measure("scheduling_delay", 0.5), 0.5);
  assert.equal(measure("scheduling_delay", 1), 2);
  assert.equal(measure("ttft", 1), 4);
  assert.equal(measure("e2e", 1), 9);
  // (9 - 1) / 4 = 2 and (7 - 6) / 2 = 0.5; the one-token output does not count.
  assert.equal(measure("tpot", 1), 2);
});

Deno.test("measureSlo() counts an unfinished request as infinitely late, never as NaN", () => {
  assert.equal(measure("e2e", 1, [NaN, 3, 7]), Infinity);
  assert.equal(measure("e2e", 0.99, [NaN, 3, NaN]), Infinity);
  // Latencies 2, 5 and one that never ends: the median is 5, halfway to it lies 3.5.
  assert.equal(measure("e2e", 0.5, [NaN, 3, 7]), 5);
  assert.equal(measure("e2e", 0.25, [NaN, 3, 7]), 3.5);
});

Deno.test("measureSlo() refuses a workload that the metric does not apply to", () => {
  const single = { ...workload, outputTokens: Int32Array.of(1, 1, 1) };
  assert.throws(
    () => measureSlo(single, runOf([1, 2, 3]), { metric: "tpot", quantile: 0.5, limitSeconds: 1 }),
    { name: "RangeError", message: /Cannot measure tpot/ },
  );
});

Deno.test("measureSlo() takes the share of requests that meet their own targets", () => {
  const slo: Slo = { metric: "slo_attainment", minFraction: 0.6 };
  // Times to first token are 1, 2 and 4 s; the second is exactly on its target.
  const slos = { ttftSeconds: Float64Array.of(0.5, 2, Infinity) };
  const kept = (completed: number[]): number =>
    measureSlo({ ...workload, slos }, runOf(completed), slo);
  assert.equal(kept([9, 3, 7]), 2 / 3);
  // Without a target, a request still has to complete.
  assert.equal(kept([9, 3, NaN]), 1 / 3);
  assert.equal(keepsSlo(slo, 2 / 3), true);
  assert.equal(keepsSlo(slo, 1 / 3), false);
  assert.equal(keepsSlo(sloSchema.parse({ metric: "ttft", limitSeconds: 2 }), 2), true);
  assert.equal(keepsSlo(sloSchema.parse({ metric: "ttft", limitSeconds: 2 }), Infinity), false);
});

Deno.test("measureSlo() refuses attainment of requests without targets", () => {
  const slo = sloSchema.parse({ metric: "slo_attainment" });
  assert.throws(() => measureSlo(workload, runOf([9, 3, 7]), slo), {
    name: "ConfigError",
    message:
      /slo\.metric must be one of scheduling_delay, ttft, tpot, e2e for requests without latency/,
  });
});
