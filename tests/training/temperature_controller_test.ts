import { temperatureSchema } from "../../lib/config/mod.ts";
import { SystemMetrics, systemMetricsSchema } from "../../lib/metrics/mod.ts";
import {
  TemperatureController,
  type TemperatureSignals,
  temperatureSignals,
} from "../../lib/training/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { fakeDecision } from "../state/_fake_cluster.ts";
import assert from "node:assert/strict";

/**
 * Signals under which the original code, executed, printed the trace of spec/scheduler.md section
 * 8: its throughput target is 1.1 times the throughput, so that the pressure is -1/11; latency 9.6 s
 * against 6 s and a balance of 0.8 are the ones that give its first four values.
 */
const TRACE_SIGNALS: TemperatureSignals = {
  throughput: 3,
  targetThroughput: 3.3,
  latencySeconds: 9.6,
  targetLatencySeconds: 6,
  loadBalance: 0.8,
};

function nextTemperatures(
  controller: TemperatureController,
  signals: TemperatureSignals,
  count: number,
): number[] {
  return Array.from({ length: count }, () => controller.next(signals));
}

Deno.test("TemperatureController reproduces the original's trace in mode pulse", () => {
  const controller = new TemperatureController(temperatureSchema.parse({ mode: "pulse" }));
  const expected = [1.51, 1.50, 1.49, 1.48, 4.47, 4.47, 3.0, 4.46, 4.45, 3.0];
  // The trace is printed with two decimals.
  assertAllClose(nextTemperatures(controller, TRACE_SIGNALS, 10), expected, { atol: 0.00501 });
});

Deno.test("TemperatureController pulses every pulseInterval decisions while metrics move", () => {
  const config = temperatureSchema.parse({
    mode: "pulse",
    qpsSensitivity: 0,
    latencySensitivity: 0,
  });
  const controller = new TemperatureController(config);
  const signals = { ...TRACE_SIGNALS, loadBalance: 1 };
  const temperatures = Array.from(
    { length: 20 },
    (_, i) => controller.next({ ...signals, throughput: i }),
  );
  const raised = temperatures.flatMap((temperature, i) => temperature > 1.5 ? [i + 1] : []);
  assert.deepEqual(raised, [8, 9, 10, 16, 17, 18]);
  // base + magnitude base = 4.5 within a pulse, its last decision cut to max.
  assert.deepEqual(temperatures.slice(7, 10), [4.5, 4.5, 3]);
});

Deno.test("TemperatureController has no pulses when they are off", () => {
  const config = temperatureSchema.parse({ mode: "pulse", pulses: false });
  const temperatures = nextTemperatures(new TemperatureController(config), TRACE_SIGNALS, 50);
  assert.ok(temperatures.every((temperature) => temperature < 1.6));
});

Deno.test("TemperatureController follows the document's formula and limits", () => {
  const controller = new TemperatureController(temperatureSchema.parse({ mode: "document" }));
  // 1.5 (1 + 0.1 (3.3 - 3) / 3.3 + 0.2 (9.6 - 6) / 6) = 1.6936...
  assertAllClose(
    [controller.next(TRACE_SIGNALS)],
    [1.5 * (1 + 0.1 / 11 + 0.12)],
    { rtol: 1e-15 },
  );
  assert.equal(controller.next({ ...TRACE_SIGNALS, latencySeconds: 1000 }), 3);
  const relaxed = { ...TRACE_SIGNALS, throughput: 100, latencySeconds: 0 };
  assert.equal(controller.next(relaxed), 0.8);
});

Deno.test("TemperatureController feels no throughput pressure without a target", () => {
  const controller = new TemperatureController(temperatureSchema.parse({ mode: "document" }));
  const signals = { ...TRACE_SIGNALS, targetThroughput: 0, latencySeconds: 6 };
  assert.equal(controller.next(signals), 1.5);
});

Deno.test("temperatureSignals() balances the replicas that are up and aims at the rate of arrivals", () => {
  const metrics = new SystemMetrics(systemMetricsSchema.parse({ scope: "lifetime" }));
  metrics.reset([0, 2]);
  metrics.onCompleted(0, 0, 4);
  const decision = fakeDecision(1, 8, [
    { kvBlocksUsed: 50 },
    { kvBlocksUsed: 20 },
    { kvBlocksUsed: 90, available: false },
  ]);
  const view = { ...decision.view, arrivedCount: 4 };
  const options = { targetThroughput: null, targetLatencySeconds: 6 };
  const signals = temperatureSignals({ ...decision, view }, metrics, options);
  assert.deepEqual(signals, {
    throughput: 1 / 8,
    targetThroughput: 4 / 8,
    latencySeconds: 4,
    targetLatencySeconds: 6,
    loadBalance: 1 - (0.5 - 0.2),
  });
  const told = temperatureSignals(decision, metrics, { ...options, targetThroughput: 3 });
  assert.equal(told.targetThroughput, 3);
});

Deno.test("TemperatureController gives 1 when it is off", () => {
  const controller = new TemperatureController(temperatureSchema.parse({}));
  assert.deepEqual(nextTemperatures(controller, TRACE_SIGNALS, 3), [1, 1, 1]);
});

Deno.test("TemperatureController.restore() continues exactly; reset() begins anew", () => {
  const config = temperatureSchema.parse({ mode: "pulse" });
  const controller = new TemperatureController(config);
  const first = nextTemperatures(controller, TRACE_SIGNALS, 6);
  const saved = JSON.parse(JSON.stringify(controller));
  const expected = nextTemperatures(controller, TRACE_SIGNALS, 6);
  const copy = new TemperatureController(config);
  copy.restore(saved);
  assert.deepEqual(nextTemperatures(copy, TRACE_SIGNALS, 6), expected);
  copy.reset();
  assert.deepEqual(nextTemperatures(copy, TRACE_SIGNALS, 6), first);
});
