/**
 * Fitting the arrivals of a trace whose rate wanders a little: two Ornstein-Uhlenbeck components of
 * the log rate so that the variance of counts is the trace's at all time scales, then the gaps' own
 * variation so that the variation of gaps is.
 */
import { Rng } from "../../lib/random/mod.ts";
import { mean, sampleStd } from "../../lib/stats/mod.ts";
import {
  countDispersion,
  createArrivalProcess,
  type ModulatedArrivals,
} from "../../lib/workload/mod.ts";

type Modulation = ModulatedArrivals["modulations"][number];

const FAST_SECONDS = [1, 1.5, 2, 3, 4, 6, 8, 12];
const SLOW_SECONDS = [60, 100, 150, 200, 300, 400, 600, 800, 1200];
const SIMULATED_TRACES = 20;

/** How the process is fitted. */
export interface ModulatedFitOptions {
  /** Windows in which the variance of counts is compared. */
  readonly windowSeconds: readonly number[];
  /** Fits the gaps' variation; without it gaps are exponential between changes of the rate. */
  readonly fitsGaps: boolean;
}

/** The process that varies as the arrivals do. */
export function fitModulatedArrivals(
  arrivalSeconds: Float64Array,
  ratePerSecond: number,
  { windowSeconds, fitsGaps }: ModulatedFitOptions,
): ModulatedArrivals {
  const modulations = fitModulations(arrivalSeconds, windowSeconds);
  const unfitted: ModulatedArrivals = { kind: "modulated", ratePerSecond, cv: 1, modulations };
  return fitsGaps ? { ...unfitted, cv: fitGapVariation(unfitted, arrivalSeconds) } : unfitted;
}

/** Variance of the rate, averaged over windows of `windowSeconds`, relative to its mean squared. */
function rateVariance(arrivalSeconds: ArrayLike<number>, windowSeconds: number): number {
  const { dispersion, meanCount } = countDispersion(arrivalSeconds, windowSeconds);
  // What a Poisson process of constant rate would show is not the rate's.
  return (dispersion - 1) / meanCount;
}

/** Variance of the mean over `windowSeconds` of a unit OU process with the given correlation time. */
function windowedVariance(windowSeconds: number, correlationSeconds: number): number {
  const ratio = correlationSeconds / windowSeconds;
  return 2 * ratio * (1 - ratio * (1 - Math.exp(-1 / ratio)));
}

/** Least squares over a grid of correlation times; small variances, so log rate stands for rate. */
function fitModulations(
  arrivalSeconds: ArrayLike<number>,
  windowSeconds: readonly number[],
): Modulation[] {
  const duration = arrivalSeconds[arrivalSeconds.length - 1]!;
  const targets = windowSeconds.map((window) => rateVariance(arrivalSeconds, window));
  let best: Modulation[] = [];
  let lowest = Infinity;
  for (const fast of FAST_SECONDS) {
    for (const slow of SLOW_SECONDS) {
      // The sample's own mean is subtracted from a trace of finite length, and so it is here.
      const columns = [fast, slow].map((seconds) =>
        windowSeconds.map((window) =>
          windowedVariance(window, seconds) - windowedVariance(duration, seconds)
        )
      );
      const [a, b] = solveTwo(columns[0]!, columns[1]!, targets);
      if (a < 0 || b < 0) continue;
      const error = targets.reduce(
        (sum, target, i) => sum + (a * columns[0]![i]! + b * columns[1]![i]! - target) ** 2,
        0,
      );
      if (error < lowest) {
        lowest = error;
        best = [{ std: Math.sqrt(a), seconds: fast }, { std: Math.sqrt(b), seconds: slow }];
      }
    }
  }
  return best.map(({ std, seconds }) => ({ std: Number(std.toFixed(4)), seconds }));
}

/** Least-squares weights of two columns. */
function solveTwo(
  x: readonly number[],
  y: readonly number[],
  target: readonly number[],
): [number, number] {
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const [xx, xy, yy, xt, yt] = [dot(x, x), dot(x, y), dot(y, y), dot(x, target), dot(y, target)];
  const determinant = xx * yy - xy * xy;
  return [(xt * yy - yt * xy) / determinant, (yt * xx - xt * xy) / determinant];
}

/** Variation of gaps that makes the simulated traces as bursty as the real one, by bisection. */
function fitGapVariation(arrivals: ModulatedArrivals, arrivalSeconds: Float64Array): number {
  const target = gapVariation(arrivalSeconds);
  let low = 0.5;
  let high = 2;
  while (high - low > 0.001) {
    const cv = (low + high) / 2;
    const reached = Array.from({ length: SIMULATED_TRACES }, (_, seed) => {
      const next = createArrivalProcess({ ...arrivals, cv }, new Rng(seed).stream("arrivals"));
      return gapVariation(arrivalSeconds.map(next));
    });
    if (mean(reached) < target) low = cv;
    else high = cv;
  }
  return Number(((low + high) / 2).toFixed(3));
}

/** Standard deviation of the gaps over their mean. */
function gapVariation(arrivalSeconds: Float64Array): number {
  const gaps = arrivalSeconds.subarray(1).map((time, i) => time - arrivalSeconds[i]!);
  return sampleStd(gaps) / mean(gaps);
}
