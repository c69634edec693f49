/**
 * Coefficients that make replays of runs take as long as the engine did.
 *
 * @module
 */
import { levenbergMarquardt } from "ml-levenberg-marquardt";
import { coefficientPriors, MAX_DEVIATIONS } from "./_calibration_coefficients.ts";
import { latencyMetrics } from "./compare_latencies.ts";
import type { RequestLatencies } from "./engine_log.ts";

/** Requests `from <= i < to` of a run. */
export interface RequestBlock {
  /** Index of the run. */
  readonly run: number;
  /** First request. */
  readonly from: number;
  /** One past the last. */
  readonly to: number;
}

/** What is fitted to what. */
export interface FitProblem {
  /** Measured latencies, one entry a run. */
  readonly measured: readonly RequestLatencies[];
  /** Replays all runs with the coefficients. */
  replay(deviations: readonly number[]): readonly RequestLatencies[];
}

/** Coefficients with what the log tells of them. */
export interface FitResult {
  /** In standard deviations of the prior. */
  readonly deviations: readonly number[];
  /** Sensitivity of every residual to every coefficient, `[residual][coefficient]`. */
  readonly jacobian: readonly (readonly number[])[];
}

/** Error of a mean that a replay with perfect coefficients is expected to have. */
const MODEL_ERROR = { ttft: 0.05, tpot: 0.02, e2e: 0.02 };
/** Residuals beyond this many model errors count linearly, as in Huber's loss. */
const OUTLIER = 2;
/** Step of the numeric derivative: replays are not smooth, one preemption more or less shows. */
const STEP = 0.25;
const ITERATIONS = 7;

/**
 * Minimises, over blocks of requests and latencies, the squares of
 * `log(simulated mean / measured mean) / model error`, made robust by the square root of the
 * pseudo-Huber loss, plus the squares of the coefficients in standard deviations of their prior
 * (maximum a posteriori; Levenberg-Marquardt).
 */
export function fitCoefficients(problem: FitProblem, blocks: readonly RequestBlock[]): FitResult {
  const residualsAt = (deviations: readonly number[]): number[] => {
    const simulated = problem.replay(deviations);
    return blocks.flatMap((block) =>
      latencyMetrics.map((metric) => {
        const pick = (latencies: readonly RequestLatencies[]): number =>
          meanOf(latencies[block.run]![metric], block);
        return Math.log(pick(simulated) / pick(problem.measured)) / MODEL_ERROR[metric];
      }).filter((residual) => !Number.isNaN(residual))
    );
  };
  const start = coefficientPriors.map(() => 0);
  const size = residualsAt(start).length + start.length;
  const { parameterValues } = levenbergMarquardt(
    { x: Array.from({ length: size }, (_, i) => i), y: Array<number>(size).fill(0) },
    (deviations: number[]) => {
      const values = [...residualsAt(deviations).map(robust), ...deviations];
      return (i: number) => values[i]!;
    },
    {
      initialValues: start,
      minValues: coefficientPriors.map(({ least }) => least),
      maxValues: start.map(() => MAX_DEVIATIONS),
      gradientDifference: STEP,
      centralDifference: true,
      maxIterations: ITERATIONS,
      errorTolerance: 1e-6,
    },
  );
  return { deviations: parameterValues, jacobian: jacobianAt(residualsAt, parameterValues) };
}

/** Mean over the requests of the block that have the latency; `NaN` when none has. */
function meanOf(seconds: Float64Array, { from, to }: RequestBlock): number {
  let [sum, count] = [0, 0];
  for (let i = from; i < to; i++) {
    if (Number.isNaN(seconds[i]!)) continue;
    sum += seconds[i]!;
    count++;
  }
  return sum / count;
}

/** Its square is the pseudo-Huber loss, `2 k^2 (sqrt(1 + (r / k)^2) - 1)`. */
function robust(residual: number): number {
  const ratio = residual / OUTLIER;
  return Math.sign(residual) * OUTLIER * Math.sqrt(2 * (Math.hypot(1, ratio) - 1));
}

function jacobianAt(
  residualsAt: (deviations: readonly number[]) => number[],
  deviations: readonly number[],
): number[][] {
  const columns = deviations.map((_, k) => {
    const moved = (step: number): number[] =>
      residualsAt(deviations.map((value, i) => i === k ? value + step : value));
    const [above, below] = [moved(STEP), moved(-STEP)];
    return above.map((value, i) => (value - below[i]!) / (2 * STEP));
  });
  return columns[0]!.map((_, i) => columns.map((column) => column[i]!));
}
