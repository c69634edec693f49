import { TailLatencyMonitor, tailLatencySchema } from "../../lib/metrics/mod.ts";
import { quantile } from "../../lib/stats/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import assert from "node:assert/strict";

function createMonitor(options: Record<string, number> = {}): TailLatencyMonitor {
  return new TailLatencyMonitor(tailLatencySchema.parse(options));
}

Deno.test("TailLatencyMonitor.summary() equals the quantiles of the latest samples", () => {
  const monitor = createMonitor({ windowSamples: 50 });
  const rng = new Rng(1);
  const latencies = Array.from({ length: 137 }, () => rng.exponential(0.5));
  for (const latency of latencies) monitor.add(latency);
  const window = latencies.slice(-50);
  assert.deepEqual(monitor.summary(), {
    sampleCount: 50,
    p90Seconds: quantile(window, 0.9),
    p95Seconds: quantile(window, 0.95),
    p99Seconds: quantile(window, 0.99),
    violationRate: latencies.filter((latency) => latency > 5).length / 137,
    violationCount: latencies.filter((latency) => latency > 5).length,
    alertCount: 0,
  });
});

Deno.test("TailLatencyMonitor.summary() is undefined before the first request", () => {
  assert.equal(createMonitor().summary(), undefined);
});

Deno.test("TailLatencyMonitor.check() alerts above the threshold, once a cooldown", () => {
  const monitor = createMonitor({ minSamples: 3, thresholdSeconds: 5, cooldownSeconds: 30 });
  monitor.add(9);
  monitor.add(9);
  assert.equal(monitor.check(0), undefined, "too few samples");
  monitor.add(9);
  assert.deepEqual(monitor.check(1), { nowSeconds: 1, p99Seconds: 9, thresholdSeconds: 5 });
  assert.equal(monitor.check(30.9), undefined, "cooling down");
  assert.equal(monitor.check(31)?.nowSeconds, 31);
  assert.equal(monitor.summary()?.alertCount, 2);
});

Deno.test("TailLatencyMonitor.check() forgets a peak that left the window", () => {
  const monitor = createMonitor({ windowSamples: 4, minSamples: 1, cooldownSeconds: 0 });
  monitor.add(100);
  assert.notEqual(monitor.check(0), undefined);
  for (let i = 0; i < 4; i++) monitor.add(1);
  assert.equal(monitor.check(1), undefined);
});

Deno.test("TailLatencyMonitor.restore() continues exactly", () => {
  const options = { windowSamples: 8, minSamples: 1, cooldownSeconds: 5 };
  const monitor = createMonitor(options);
  for (let i = 0; i < 13; i++) monitor.add(i);
  monitor.check(0);
  const copy = createMonitor(options);
  copy.restore(monitor.toJSON());
  for (const twin of [monitor, copy]) twin.add(3);
  assert.deepEqual(copy.toJSON(), monitor.toJSON());
  assert.equal(copy.check(4), undefined);
  assert.deepEqual(copy.check(6), monitor.check(6));
});

Deno.test("TailLatencyMonitor.restore() refuses the state of another window", () => {
  const monitor = createMonitor({ windowSamples: 8 });
  for (let i = 0; i < 9; i++) monitor.add(i);
  assert.throws(
    () => createMonitor({ windowSamples: 4 }).restore(monitor.toJSON()),
    /samples must have 4 entries, current value is 8/,
  );
});
