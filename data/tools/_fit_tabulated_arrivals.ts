/**
 * Fitting the arrivals of a trace that comes in bursts: the table of its gaps, and how alike
 * neighbouring gaps must be for counts to vary as in the trace.
 */
import { Rng } from "../../lib/random/mod.ts";
import { mean } from "../../lib/stats/mod.ts";
import {
  countDispersion,
  createArrivalProcess,
  fitGapTable,
  type TabulatedArrivals,
} from "../../lib/workload/mod.ts";

const WINDOW_SECONDS = [1, 10, 60, 600];
const LIKENESS = [0, 0.05, 0.1, 0.125, 0.15, 0.175, 0.2, 0.25, 0.3];
const MEMORY_GAPS = [5, 10, 20, 30, 50, 80, 120, 200];
const SCORE_STEPS = 80;
const SIMULATED_TRACES = 20;

/** The likeness and memory with the least squared error of the log index of dispersion. */
export function fitTabulatedArrivals(
  arrivalSeconds: Float64Array,
  ratePerSecond: number,
): TabulatedArrivals {
  const gaps = Array.from(arrivalSeconds.subarray(1), (time, i) => time - arrivalSeconds[i]!);
  const targets = WINDOW_SECONDS.map((window) => logDispersion(arrivalSeconds, window));
  let best: TabulatedArrivals | undefined;
  let lowest = Infinity;
  for (const likeness of LIKENESS) {
    for (const memoryGaps of MEMORY_GAPS) {
      const table = fitGapTable(gaps, { steps: SCORE_STEPS, likeness, memoryGaps });
      const arrivals: TabulatedArrivals = { kind: "tabulated", ratePerSecond, gaps: table };
      // Equal seeds for every candidate: what differs is the candidate, not the luck.
      const traces = Array.from({ length: SIMULATED_TRACES }, (_, seed) => {
        const next = createArrivalProcess(arrivals, new Rng(seed));
        return Float64Array.from(arrivalSeconds, () => next());
      });
      const error = WINDOW_SECONDS.reduce((sum, window, i) => {
        const reached = mean(traces.map((trace) => logDispersion(trace, window)));
        return sum + (reached - targets[i]!) ** 2;
      }, 0);
      if (error < lowest) {
        lowest = error;
        best = arrivals;
      }
    }
  }
  return best!;
}

function logDispersion(arrivalSeconds: Float64Array, windowSeconds: number): number {
  return Math.log(countDispersion(arrivalSeconds, windowSeconds).dispersion);
}
