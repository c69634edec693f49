/**
 * The highest rate that still meets an objective.
 *
 * @module
 */

/** One simulated rate. */
export interface CapacityProbe {
  /** Requests per second. */
  readonly ratePerSecond: number;
  /** The measured value: seconds, or what else the objective is about. */
  readonly value: number;
  /** Whether it kept the objective. */
  readonly meetsSlo: boolean;
}

/** How to search. */
export interface CapacitySearchOptions {
  /** Whether a measured value keeps the objective. */
  readonly meetsSlo: (value: number) => boolean;
  /** Where to begin, requests per second; 1 by default. */
  readonly startRatePerSecond?: number;
  /** Relative width of the last interval; 0.025 by default, Vidur's 2.5 %. */
  readonly granularity?: number;
  /** Largest number of probes; 40 by default. */
  readonly maxProbes?: number;
}

/** Outcome of {@linkcode searchCapacity}. */
export interface CapacitySearch {
  /** Highest rate that met the objective, 0 when none did. */
  readonly ratePerSecond: number;
  /** All probes, in the order in which they were made. */
  readonly probes: readonly CapacityProbe[];
  /** Whether the interval is as narrow as asked for; false when the probes ran out. */
  readonly converged: boolean;
}

/**
 * Searches the highest rate: doubles (or halves) the rate until a rate that meets the objective and
 * one that does not are known, then bisects the interval between them.
 *
 * Source: spec/simulator.md sections 12 and 13 (the search of Vidur's later version; the earlier
 * one can lose the bracket, and its branch for hopeless rates is unreachable).
 *
 * @param measure Value at a rate, expected not to get better as the rate rises.
 * @throws {RangeError} When an option is out of range.
 *
 * @example A queue whose delay is 1 / (10 - rate) meets 0.5 s up to 8 requests/s
 * ```ts
 * import { searchCapacity } from "@signalbox/signalbox/capacity";
 * import assert from "node:assert/strict";
 *
 * const delay = (rate: number) => rate < 10 ? 1 / (10 - rate) : Infinity;
 * const { ratePerSecond } = searchCapacity(delay, {
 *   meetsSlo: (seconds) => seconds <= 0.5,
 * });
 * assert.ok(ratePerSecond <= 8 && ratePerSecond > 8 * 0.975);
 * ```
 */
export function searchCapacity(
  measure: (ratePerSecond: number) => number,
  options: CapacitySearchOptions,
): CapacitySearch {
  const { startRatePerSecond = 1, granularity = 0.025, maxProbes = 40 } = options;
  requirePositive("startRatePerSecond", startRatePerSecond);
  requirePositive("granularity", granularity);
  requirePositive("maxProbes", maxProbes);
  const probes: CapacityProbe[] = [];
  let met = 0;
  let missed = Infinity;
  let rate = startRatePerSecond;
  while (probes.length < maxProbes && missed - met > granularity * met) {
    const value = measure(rate);
    const meetsSlo = options.meetsSlo(value);
    probes.push({ ratePerSecond: rate, value, meetsSlo });
    if (meetsSlo) met = rate;
    else missed = rate;
    if (missed === Infinity) rate *= 2;
    else if (met === 0) rate /= 2;
    else rate = (met + missed) / 2;
  }
  return { ratePerSecond: met, probes, converged: missed - met <= granularity * met };
}

function requirePositive(name: string, value: number): void {
  if (!(value > 0 && value < Infinity)) {
    throw new RangeError(
      `Cannot search the capacity: ${name} must be finite and > 0, current value is ${value}`,
    );
  }
}
