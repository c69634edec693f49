/**
 * Temperature of decisions, from the pressure that the cluster is under.
 *
 * @module
 */
import type { TemperatureConfig } from "../config/mod.ts";
import type { SystemMetrics } from "../metrics/mod.ts";
import type { RoutingDecision } from "../simulator/mod.ts";

/** What a temperature is computed from. */
export interface TemperatureSignals {
  /** Completed requests per second. */
  readonly throughput: number;
  /** Throughput that means no pressure, in requests per second; 0 or less = none known. */
  readonly targetThroughput: number;
  /** Mean end-to-end latency in seconds. */
  readonly latencySeconds: number;
  /** Latency that means no pressure, in seconds, > 0. */
  readonly targetLatencySeconds: number;
  /** 1 minus the range of KV use over the replicas, in [0, 1]; 1 = balanced. */
  readonly loadBalance: number;
}

/** What a {@linkcode TemperatureController} remembers; plain data for checkpoints. */
export interface TemperatureState {
  /** Decisions seen. */
  readonly step: number;
  /** Average of the throughput pressure. */
  readonly qpsPressureEma: number;
  /** Average of the latency pressure. */
  readonly latencyPressureEma: number;
  /** Latest changes of throughput and latency, added up, oldest first. */
  readonly changes: readonly number[];
  /** Throughput at the last decision; null before the first. */
  readonly lastThroughput: number | null;
  /** Latency at the last decision in seconds. */
  readonly lastLatencySeconds: number;
  /** Decision at which the last pulse began. */
  readonly lastPulseStep: number;
  /** Decisions left of the pulse under way; 0 = none. */
  readonly pulseRemaining: number;
}

const INITIAL_STATE: TemperatureState = {
  step: 0,
  qpsPressureEma: 0,
  latencyPressureEma: 0,
  changes: [],
  lastThroughput: null,
  lastLatencySeconds: 0,
  lastPulseStep: 0,
  pulseRemaining: 0,
};

/**
 * Sets the temperature of one run's decisions, one after the other. With tp and lat the throughput
 * and latency, and targets marked *:
 *
 * ```text
 * document: T = clip(base (1 + w_q (tp* - tp) / tp* + w_l (lat - lat*) / lat*), min, max)
 *
 * pulse:    q = ema((tp - tp*) / tp*)      l = ema(max(0, (lat - lat*) / lat*))
 *           T = base - w_q q - w_l l + w_b (1 - balance) [+ magnitude base, within a pulse]
 *           clipped to [min, max], within a pulse to [min, 2 max] but for its last decision
 * ```
 *
 * A pulse begins `pulseInterval` decisions after the last one began, or when the changes
 * |d tp| + |d lat| at all remembered decisions were below the stagnation threshold.
 *
 * Source: spec/scheduler.md section 0 (document) and section 8 (pulse).
 *
 * @example
 * ```ts
 * import { temperatureSchema } from "@signalbox/signalbox/config";
 * import { TemperatureController } from "@signalbox/signalbox/training";
 * import assert from "node:assert/strict";
 *
 * const controller = new TemperatureController(temperatureSchema.parse({ mode: "document" }));
 * const temperature = controller.next({
 *   throughput: 5,
 *   targetThroughput: 10,
 *   latencySeconds: 12,
 *   targetLatencySeconds: 6,
 *   loadBalance: 1,
 * });
 * assert.equal(temperature, 1.5 * (1 + 0.1 * 0.5 + 0.2 * 1));
 * ```
 */
export class TemperatureController {
  readonly #config: TemperatureConfig;
  #state = INITIAL_STATE;

  /** A controller before its first decision; with `mode: "off"` it always gives 1. */
  constructor(config: TemperatureConfig) {
    this.#config = config;
  }

  /** The temperature of the next decision, > 0. */
  next(signals: TemperatureSignals): number {
    switch (this.#config.mode) {
      case "off":
        return 1;
      case "document":
        return this.#document(signals);
      case "pulse":
        return this.#pulse(signals);
    }
  }

  /** Forgets everything: a new run begins. */
  reset(): void {
    this.#state = INITIAL_STATE;
  }

  /** Everything remembered. */
  toJSON(): TemperatureState {
    return this.#state;
  }

  /** Continues exactly where `state` was taken. */
  restore(state: TemperatureState): void {
    this.#state = state;
  }

  #document(signals: TemperatureSignals): number {
    const { base, min, max, qpsSensitivity, latencySensitivity } = this.#config;
    const pressure = qpsSensitivity * -throughputExcess(signals) +
      latencySensitivity * latencyExcess(signals);
    return clip(base * (1 + pressure), min, max);
  }

  #pulse(signals: TemperatureSignals): number {
    const config = this.#config;
    const last = this.#state;
    const step = last.step + 1;
    const alpha = config.pressureEmaAlpha;
    const qpsPressureEma = (1 - alpha) * last.qpsPressureEma + alpha * throughputExcess(signals);
    const latencyPressureEma = (1 - alpha) * last.latencyPressureEma +
      alpha * Math.max(0, latencyExcess(signals));
    const { throughput, latencySeconds } = signals;
    const change = last.lastThroughput === null ? 0 : Math.abs(throughput - last.lastThroughput) +
      Math.abs(latencySeconds - last.lastLatencySeconds);
    const changes = [...last.changes, change].slice(-config.stagnationMemory);
    const stagnates = changes.length === config.stagnationMemory &&
      Math.max(...changes) < config.stagnationThreshold;
    const begins = config.pulses && last.pulseRemaining === 0 &&
      (step - last.lastPulseStep >= config.pulseInterval || stagnates);
    const stepsInPulse = begins ? config.pulseSteps : last.pulseRemaining;
    const pulseRemaining = Math.max(0, stepsInPulse - 1);
    this.#state = {
      step,
      qpsPressureEma,
      latencyPressureEma,
      changes,
      lastThroughput: throughput,
      lastLatencySeconds: latencySeconds,
      lastPulseStep: begins ? step : last.lastPulseStep,
      pulseRemaining,
    };
    const boost = stepsInPulse > 0 ? config.pulseMagnitude * config.base : 0;
    const temperature = config.base - config.qpsSensitivity * qpsPressureEma -
      config.latencySensitivity * latencyPressureEma +
      config.balanceWeight * (1 - signals.loadBalance) + boost;
    return clip(temperature, config.min, pulseRemaining > 0 ? 2 * config.max : config.max);
  }
}

/**
 * The signals at a decision, read off the metrics that its observation is built from.
 *
 * @param options.targetThroughput null = the mean arrival rate since time 0, this request included.
 * @param options.targetLatencySeconds Latency that means no pressure.
 */
export function temperatureSignals(
  { nowSeconds, view }: RoutingDecision,
  metrics: SystemMetrics,
  { targetThroughput, targetLatencySeconds }: {
    readonly targetThroughput: number | null;
    readonly targetLatencySeconds: number;
  },
): TemperatureSignals {
  let smallest = 1;
  let largest = 0;
  for (let r = 0; r < view.replicaCount; r++) {
    if (!view.isAvailable(r)) continue;
    const share = view.kvBlocksUsed(r) / Math.max(view.kvBlocksTotal(r), 1);
    smallest = Math.min(smallest, share);
    largest = Math.max(largest, share);
  }
  return {
    throughput: metrics.throughput(nowSeconds),
    targetThroughput: targetThroughput ?? (nowSeconds > 0 ? view.arrivedCount / nowSeconds : 0),
    latencySeconds: metrics.meanLatencySeconds(nowSeconds),
    targetLatencySeconds,
    loadBalance: 1 - Math.max(0, largest - smallest),
  };
}

/** (tp - tp*) / tp*, 0 where no target is known. */
function throughputExcess({ throughput, targetThroughput }: TemperatureSignals): number {
  return targetThroughput > 0 ? (throughput - targetThroughput) / targetThroughput : 0;
}

/** (lat - lat*) / lat*. */
function latencyExcess({ latencySeconds, targetLatencySeconds }: TemperatureSignals): number {
  return (latencySeconds - targetLatencySeconds) / targetLatencySeconds;
}

function clip(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
