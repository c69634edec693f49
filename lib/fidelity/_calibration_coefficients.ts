/**
 * What calibration may change of the analytic timer.
 *
 * @module
 */
import type { GpuEfficiency } from "../timing/mod.ts";

/** A coefficient as a number of standard deviations of what is expected before any log is read. */
export interface CoefficientPrior {
  /** Name for tables. */
  readonly name: string;
  /** What it is, with its unit. */
  readonly meaning: string;
  /** Least number of standard deviations that makes sense. */
  readonly least: number;
  /** The coefficient from a number of standard deviations. */
  value(deviations: number): number;
}

/** How far an efficiency fitted to other models or engine versions may be off, relative. */
const EFFICIENCY_DEVIATION = 0.2;
/** CPU milliseconds an iteration: engines that prepare the next batch meanwhile need few. */
const ITERATION_MILLISECONDS = { mean: 1, deviation: 1 };
/** Standard deviations beyond which no coefficient goes. */
export const MAX_DEVIATIONS = 6;

function speed(name: string, meaning: string): CoefficientPrior {
  return {
    name,
    meaning: `${meaning}, relative to the catalogue's`,
    least: -MAX_DEVIATIONS,
    value: (deviations) => Math.exp(EFFICIENCY_DEVIATION * deviations),
  };
}

/** The coefficients, in the order of every vector here. */
export const coefficientPriors: readonly CoefficientPrior[] = [
  speed("compute", "FLOP/s that matrix products and prefill attention reach"),
  speed("memory", "bandwidth at which weights are read"),
  speed("kvCache", "bandwidth at which decodes read the KV cache"),
  {
    name: "iteration",
    meaning: "milliseconds of CPU work an iteration that the GPU waits for",
    least: -ITERATION_MILLISECONDS.mean / ITERATION_MILLISECONDS.deviation,
    value: (deviations) =>
      ITERATION_MILLISECONDS.mean + ITERATION_MILLISECONDS.deviation * deviations,
  },
];

/** Applies coefficients to the efficiencies of the catalogue. */
export function calibrated(prior: GpuEfficiency, deviations: readonly number[]): GpuEfficiency {
  const [compute, memory, kvCache, milliseconds] = coefficientPriors.map((coefficient, i) =>
    coefficient.value(deviations[i]!)
  ) as [number, number, number, number];
  return {
    ...prior,
    matmulCompute: prior.matmulCompute * compute,
    prefillCompute: prior.prefillCompute * compute,
    matmulMemory: prior.matmulMemory * memory,
    decodeMemory: prior.decodeMemory * kvCache,
    iterationSeconds: Math.max(0, milliseconds) / 1000,
  };
}
