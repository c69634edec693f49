/**
 * Measured against simulated, drawn.
 *
 * @module
 */
import { type Chart, colorScale, dashScale, makeChart } from "../plot/mod.ts";
import { empiricalCdf } from "../stats/mod.ts";
import { latencyMetrics } from "./compare_latencies.ts";
import type { RequestLatencies } from "./engine_log.ts";

/** Latencies with the name of what produced them, e.g. a timer. */
export interface NamedLatencies {
  /** Name for the legend. */
  readonly name: string;
  /** Its latencies. */
  readonly latencies: RequestLatencies;
}

const TITLES = {
  ttft: "Time to first token (s)",
  tpot: "Time per output token (s)",
  e2e: "End-to-end latency (s)",
};

const PANEL = { width: 230, height: 230 };
const LOG_AXIS = { format: "~g", tickCount: 4 };

/**
 * One point a request, measured along, simulated up; on the diagonal both agree. One panel a
 * latency, both axes logarithmic.
 *
 * @param measured What the engine took.
 * @param simulations Replays of the same requests.
 */
export function fidelityScatter(
  measured: RequestLatencies,
  simulations: readonly NamedLatencies[],
): Chart {
  const names = simulations.map(({ name }) => name);
  const panels = latencyMetrics.map((metric) => {
    const values = simulations.flatMap(({ name, latencies }) =>
      Array.from(measured[metric], (seconds, i) => ({
        name,
        measured: short(seconds),
        simulated: short(latencies[metric][i]!),
      })).filter((point) => point.measured > 0 && point.simulated > 0)
    );
    const all = values.flatMap((point) => [point.measured, point.simulated]);
    const ends = [Math.min(...all), Math.max(...all)];
    const scale = { type: "log" as const, domain: ends, nice: false };
    return {
      ...PANEL,
      title: TITLES[metric],
      layer: [
        {
          data: { values: ends.map((end) => ({ end })) },
          mark: { type: "line" as const, strokeDash: [4, 3], color: "gray" },
          encoding: {
            x: { field: "end", type: "quantitative" as const, scale },
            y: { field: "end", type: "quantitative" as const, scale },
          },
        },
        {
          data: { values },
          mark: { type: "point" as const, size: 12, opacity: 0.6, filled: true },
          encoding: {
            x: {
              field: "measured",
              type: "quantitative" as const,
              title: "Measured",
              scale,
              axis: LOG_AXIS,
            },
            y: {
              field: "simulated",
              type: "quantitative" as const,
              title: "Simulated",
              scale,
              axis: LOG_AXIS,
            },
            color: {
              field: "name",
              type: "nominal" as const,
              title: "Timer",
              scale: colorScale(names),
            },
          },
        },
      ],
    };
  });
  return makeChart({ title: "Every request, measured and simulated", hconcat: panels });
}

/**
 * Distribution functions of the latencies, one panel a latency, the time axis logarithmic.
 *
 * @param measured What the engine took.
 * @param simulations Replays of the same requests.
 */
export function fidelityEcdf(
  measured: RequestLatencies,
  simulations: readonly NamedLatencies[],
): Chart {
  const curves = [{ name: "measured", latencies: measured }, ...simulations];
  const names = curves.map(({ name }) => name);
  const panels = latencyMetrics.map((metric) => ({
    ...PANEL,
    data: {
      values: curves.flatMap(({ name, latencies }) => {
        // A logarithmic axis has no zero.
        const cdf = empiricalCdf(latencies[metric].filter((value) => value > 0));
        return Array.from(cdf.values, (value, i) => ({
          name,
          seconds: short(value),
          share: short(cdf.probabilities[i]!),
        }));
      }),
    },
    mark: { type: "line" as const, interpolate: "step-after" as const },
    encoding: {
      x: {
        field: "seconds",
        type: "quantitative" as const,
        title: TITLES[metric],
        scale: { type: "log" as const, nice: false },
        axis: LOG_AXIS,
      },
      y: {
        field: "share",
        type: "quantitative" as const,
        title: "Share of requests",
        axis: { format: "%" },
      },
      color: { field: "name", type: "nominal" as const, title: "Run", scale: colorScale(names) },
      strokeDash: {
        field: "name",
        type: "nominal" as const,
        title: "Run",
        scale: dashScale(names),
      },
    },
  }));
  return makeChart({ title: "Distributions, measured and simulated", hconcat: panels });
}

/** Six digits are more than can be seen. */
function short(value: number): number {
  return Number(value.toPrecision(6));
}
