import { tableFromRows } from "@signalbox/signalbox/metrics";
import {
  type Chart,
  countRoutingShares,
  differenceIntervals,
  policyDependence,
  routingShares,
} from "@signalbox/signalbox/plot";
import assert from "node:assert/strict";

/** The rows that a chart carries. */
function rowsIn(chart: Chart): Record<string, unknown>[] {
  const { data } = chart as { data: { values: Record<string, unknown>[] } };
  return data.values;
}

const schema = {
  policy: "utf8",
  training_seed: "int64?",
  evaluation_seed: "int64",
  arrival_seconds: "float64",
  completed_seconds: "float64?",
  prompt_tokens: "int32",
  replica: "int32?",
} as const;

/** One request a second for a minute, each there for a second, or for a minute from second 30 on. */
function requestsOf(policy: string, trainingSeed: number | null) {
  return Array.from({ length: 60 }, (_, second) => ({
    policy,
    training_seed: trainingSeed,
    evaluation_seed: 1,
    arrival_seconds: second,
    completed_seconds: second + (second < 30 ? 0.5 : 60),
    prompt_tokens: second % 2 === 0 ? 100 : 900,
    replica: second % 2,
  }));
}

Deno.test("countRoutingShares() divides by prompts and by what was in the cluster on arrival", () => {
  const table = tableFromRows(schema, requestsOf("parity", null));
  const shares = countRoutingShares(table, { promptRanges: 2 });
  // Nobody is there on arrival up to second 30, then 1, 2, ... 29: more than a third find it empty.
  assert.deepEqual([...new Set(shares.map(({ load }) => load))], ["0-9", "10-29"]);
  for (const { prompt, replica, share } of shares) {
    assert.equal(share, (prompt.startsWith("100-") ? 0 : 1) === replica ? 1 : 0);
  }
  const counts = shares.filter(({ replica }) => replica === 0).map((entry) => entry.requestCount);
  assert.equal(counts.reduce((sum, count) => sum + count, 0), 60);
});

Deno.test("countRoutingShares() counts what is in the cluster run by run", () => {
  const two = tableFromRows(schema, [...requestsOf("ppo", 1), ...requestsOf("ppo", 2)]);
  const [shares] = countRoutingShares(two, { promptRanges: 1 });
  assert.equal(shares!.load, "0-9", "a run does not see the requests of another");
  assert.throws(() => countRoutingShares(two, { policies: ["nobody"] }), {
    name: "RangeError",
    message: /one of nobody must have a request/,
  });
});

Deno.test("routingShares() stacks replicas in their order", () => {
  const kind = { policy: "a", prompt: "1-9", load: "calm: 0-1", requestCount: 4 };
  const rows = rowsIn(routingShares([
    { ...kind, replica: 0, share: 0.25 },
    { ...kind, replica: 1, share: 0.75 },
  ], { replicaNames: ["h100"] }));
  assert.deepEqual(rows.map(({ replica, order, share }) => [replica, order, share]), [
    ["h100", 0, 0.25],
    ["replica 1", 1, 0.75],
  ]);
});

Deno.test("policyDependence() averages points of one value, e.g. of training seeds", () => {
  const point = { feature: "prompt_tokens", value: 64, replica: 0 } as const;
  const chart = policyDependence([
    { ...point, probability: 0.2 },
    { ...point, probability: 0.4 },
    { ...point, value: 128, probability: 0.5 },
  ]);
  assert.deepEqual(rowsIn(chart).map(({ value, probability }) => [value, probability]), [
    [64, 0.3],
    [128, 0.5],
  ]);
  assert.equal((chart as { hconcat: unknown[] }).hconcat.length, 1, "no panel without points");
  assert.throws(() => policyDependence([]), RangeError);
});

Deno.test("differenceIntervals() leaves out ends that are unknown", () => {
  const row = { policy: "ppo", baseline: "random", statistic: "mean E2E" };
  const rows = rowsIn(differenceIntervals([
    { ...row, relative: { estimate: -0.5, low: -0.6, high: -0.4 } },
    { ...row, statistic: "p99 E2E", relative: { estimate: -0.5, low: NaN, high: NaN } },
  ]));
  assert.deepEqual(rows.map(({ low, high }) => [low, high]), [[-0.6, -0.4], [
    undefined,
    undefined,
  ]]);
  assert.throws(() => differenceIntervals([]), RangeError);
});
