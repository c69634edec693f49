import fc from "fast-check";
import assert from "node:assert/strict";
import { SystemMetrics, systemMetricsSchema } from "../../lib/metrics/mod.ts";
import { assertAllClose } from "../_helpers.ts";

const lifetime = systemMetricsSchema.parse({ scope: "lifetime" });

Deno.test("SystemMetrics takes lifetime means since time 0 when the scope is lifetime", () => {
  const metrics = new SystemMetrics(lifetime);
  metrics.reset([0, 1, 2]);
  metrics.onFirstToken(0, 0, 1.5);
  metrics.onCompleted(0, 0, 2);
  metrics.onCompleted(2, 0, 6);
  // 2 completions in 10 s; latencies 2 and 4 s; one first token after 1.5 s.
  assert.equal(metrics.throughput(10), 0.2);
  assert.equal(metrics.meanLatencySeconds(10), 3);
  assert.equal(metrics.meanTtftSeconds(10), 1.5);
  assert.equal(metrics.completedCount, 2);
});

Deno.test("SystemMetrics divides by the time that has passed while that is less than the window", () => {
  const metrics = new SystemMetrics({ scope: "window", windowSeconds: 8 });
  metrics.reset([0]);
  metrics.onCompleted(0, 0, 1);
  assert.equal(metrics.throughput(2), 1 / 2);
  assert.equal(metrics.throughput(8.5), 1 / 8);
});

Deno.test("SystemMetrics excludes a completion exactly one window ago and keeps the last latency", () => {
  const metrics = new SystemMetrics({ scope: "window", windowSeconds: 4 });
  metrics.reset([0, 0]);
  metrics.onCompleted(0, 0, 1);
  metrics.onCompleted(1, 0, 3);
  assert.equal(metrics.meanLatencySeconds(4.5), 2);
  assert.equal(metrics.meanLatencySeconds(5), 3);
  assert.equal(metrics.throughput(7), 0);
  assert.equal(metrics.meanLatencySeconds(100), 3);
});

Deno.test("SystemMetrics reads 0 before anything has happened and again after reset()", () => {
  const metrics = new SystemMetrics(systemMetricsSchema.parse({}));
  metrics.reset([0]);
  metrics.onFirstToken(0, 0, 1);
  metrics.onCompleted(0, 0, 1);
  metrics.reset([0]);
  assert.deepEqual(
    [metrics.throughput(0), metrics.meanLatencySeconds(0), metrics.meanTtftSeconds(0)],
    [0, 0, 0],
  );
  assert.equal(metrics.completedCount, 0);
});

Deno.test("SystemMetrics refuses to go back in time and requests it does not know", () => {
  const metrics = new SystemMetrics(lifetime);
  metrics.reset([0]);
  metrics.throughput(5);
  assert.throws(() => metrics.throughput(4), {
    name: "RangeError",
    message: "Cannot move the metrics window: nowSeconds must be >= 5, the latest time seen, " +
      "current value is 4",
  });
  assert.throws(() => metrics.onCompleted(1, 0, 6), { name: "RangeError", message: /below 1/ });
});

/** Completions (gap to the one before, latency) and queries (gap to the last event). */
const events = fc.array(
  fc.record({
    gapSeconds: fc.double({ min: 0, max: 5, noNaN: true }),
    latencySeconds: fc.double({ min: 0, max: 100, noNaN: true }),
    isQuery: fc.boolean(),
  }),
  { maxLength: 60 },
);

Deno.test("SystemMetrics equals a scan over all completions at any query", () => {
  fc.assert(fc.property(events, fc.double({ min: 0.1, max: 12, noNaN: true }), (list, window) => {
    const metrics = new SystemMetrics({ scope: "window", windowSeconds: window });
    let now = 100;
    const arrivals: number[] = [];
    const completions: { at: number; latency: number }[] = [];
    metrics.reset(arrivals);
    for (const { gapSeconds, latencySeconds, isQuery } of list) {
      now += gapSeconds;
      if (!isQuery) {
        arrivals.push(now - latencySeconds);
        metrics.onCompleted(completions.length, 0, now);
        completions.push({ at: now, latency: now - (now - latencySeconds) });
        continue;
      }
      const inside = completions.filter(({ at }) => at > now - window);
      const latest = completions.at(-1)?.latency ?? 0;
      const mean = inside.length === 0
        ? latest
        : inside.reduce((sum, { latency }) => sum + latency, 0) / inside.length;
      assert.equal(metrics.throughput(now), inside.length / window);
      // Sums of at most 60 values in another order: a few units in the last place.
      assertAllClose([metrics.meanLatencySeconds(now)], [mean], { rtol: 1e-13, atol: 1e-13 });
    }
  }));
});
