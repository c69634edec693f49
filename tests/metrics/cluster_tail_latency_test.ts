import { ClusterTailLatency, tailLatencySchema } from "../../lib/metrics/mod.ts";
import assert from "node:assert/strict";

const CONFIG = tailLatencySchema.parse({ windowSamples: 4, minSamples: 2, thresholdSeconds: 5 });

Deno.test("ClusterTailLatency.summary() keeps replicas apart and compares them", () => {
  const tails = new ClusterTailLatency(CONFIG, 3);
  assert.equal(tails.summary(), undefined);
  for (const [latencySeconds, replica] of [[1, 0], [1, 0], [7, 2]] as const) {
    tails.add(latencySeconds, replica);
  }
  const { cluster, replicas, p90, p95, p99 } = tails.summary()!;
  // Quantiles of 1, 1, 7 interpolate between the upper two: 1 + 6 (2 q - 1).
  assert.deepEqual([cluster.sampleCount, cluster.p90Seconds], [3, 1 + 6 * (2 * 0.9 - 1)]);
  assert.deepEqual(replicas.map((summary) => summary?.p99Seconds ?? null), [1, null, 7]);
  assert.deepEqual(replicas.map((summary) => summary?.violationCount ?? null), [0, null, 1]);
  // Of 1 and 7.
  for (const spread of [p90, p95, p99]) {
    assert.deepEqual(spread, { maxSeconds: 7, meanSeconds: 4, stdSeconds: 3 });
  }
});

Deno.test("ClusterTailLatency.check() alerts for the cluster, once a cooldown", () => {
  const tails = new ClusterTailLatency(CONFIG, 2);
  tails.add(9, 1);
  assert.equal(tails.check(0), undefined, "too few samples");
  tails.add(9, 1);
  assert.equal(tails.check(1)?.p99Seconds, 9);
  assert.equal(tails.check(30), undefined);
  assert.equal(tails.check(31)?.nowSeconds, 31);
  assert.equal(tails.summary()!.cluster.alertCount, 2);
});

Deno.test("ClusterTailLatency.restore() continues exactly", () => {
  const tails = new ClusterTailLatency(CONFIG, 2);
  for (let i = 0; i < 7; i++) tails.add(i, i % 2);
  tails.check(3);
  const other = new ClusterTailLatency(CONFIG, 2);
  other.restore(tails.toJSON());
  for (const monitor of [tails, other]) monitor.add(8, 1);
  assert.deepEqual(other.summary(), tails.summary());
  assert.deepEqual(other.toJSON(), tails.toJSON());
  assert.throws(() => new ClusterTailLatency(CONFIG, 3).restore(tails.toJSON()), {
    name: "RangeError",
    message:
      "Cannot restore a tail-latency monitor: replicas must have 3 entries, current value is 2",
  });
});
