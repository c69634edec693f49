/**
 * Fitting coefficients of the analytic timer to observations.
 */
import { levenbergMarquardt } from "ml-levenberg-marquardt";
import { getGpu, getModel } from "../../lib/hardware/mod.ts";
import { quantile } from "../../lib/stats/mod.ts";
import { type BatchTimer, createAnalyticTimer, type GpuEfficiency } from "../../lib/timing/mod.ts";
import type { Observation } from "./_observations.ts";

/** A GPU on which nothing takes time. */
export const FREE: GpuEfficiency = {
  matmulCompute: Infinity,
  matmulMemory: Infinity,
  elementwiseMemory: Infinity,
  prefillCompute: Infinity,
  prefillMaskedShare: 0,
  prefillContextSeconds: 0,
  decodeMemory: Infinity,
  mixedDecodeCost: 1,
  layerSeconds: 0,
  linkSeconds: 0,
  linkBandwidth: Infinity,
  iterationSeconds: 0,
};

/** Bounds beyond which a coefficient would not mean what it says. */
const LOWEST: Partial<GpuEfficiency> = { mixedDecodeCost: 1 };
const HIGHEST: Partial<GpuEfficiency> = { prefillMaskedShare: 1 };

/** How well predictions reproduce measurements. */
export interface FitReport {
  readonly what: string;
  readonly source: string;
  readonly points: number;
  readonly medianRelativeError: number;
  readonly p90RelativeError: number;
}

/** Predicted and measured seconds. */
export type Pair = readonly [predicted: number, measured: number];

/** Median and 90th percentile of relative errors. */
export function reportOf(pairs: readonly Pair[], what: string, source: string): FitReport {
  const errors = pairs.map(([predicted, measured]) => Math.abs(predicted / measured - 1));
  return {
    what,
    source,
    points: pairs.length,
    medianRelativeError: Number(quantile(errors, 0.5).toFixed(3)),
    p90RelativeError: Number(quantile(errors, 0.9).toFixed(3)),
  };
}

/**
 * Minimises squared logarithms of predicted over measured, so that relative errors count, over
 * logarithms of coefficients, so that they stay positive.
 *
 * @param start Coefficients to start from, each > 0.
 * @param seconds Measured seconds, `[n]`.
 * @param predict Makes a predictor of measurement `i` from coefficients.
 */
export function fitRelative(
  start: Partial<GpuEfficiency>,
  seconds: readonly number[],
  predict: (coefficients: Partial<GpuEfficiency>) => (index: number) => number,
): Partial<GpuEfficiency> {
  const names = Object.keys(start) as (keyof GpuEfficiency)[];
  const fromLogs = (logs: readonly number[]): Partial<GpuEfficiency> =>
    Object.fromEntries(names.map((name, i) => [name, Math.exp(logs[i]!)]));
  const { parameterValues } = levenbergMarquardt(
    { x: seconds.map((_, i) => i), y: seconds.map(Math.log) },
    (logs: number[]) => {
      const predictor = predict(fromLogs(logs));
      return (index: number) => Math.log(predictor(index));
    },
    {
      initialValues: names.map((name) => Math.log(start[name]!)),
      minValues: names.map((name) => Math.log(LOWEST[name] ?? 1e-12)),
      maxValues: names.map((name) => Math.log(HIGHEST[name] ?? 1e3)),
      centralDifference: true,
      gradientDifference: 1e-4,
      damping: 0.01,
      maxIterations: 100,
      errorTolerance: 1e-12,
    },
  );
  return fromLogs(parameterValues);
}

/** Predictor of the seconds of one layer, without what a first or last stage has more. */
function createLayerPredictor(
  gpu: string,
  efficiency: GpuEfficiency,
  observations: readonly Observation[],
): (index: number) => number {
  const timers = new Map<string, BatchTimer>();
  return (index) => {
    const { model, tensorParallel, batch } = observations[index]!;
    const key = `${model}/${tensorParallel}`;
    let timer = timers.get(key);
    if (timer === undefined) {
      timer = createTimer(gpu, model, tensorParallel, 2, efficiency);
      timers.set(key, timer);
    }
    return timer.modelSeconds(batch, 0) / (getModel(model).layers / 2);
  };
}

/** The shipped timer with given coefficients. */
export function createTimer(
  gpu: string,
  model: string,
  tensorParallel: number,
  pipelineStages: number,
  efficiency: GpuEfficiency,
): BatchTimer {
  return createAnalyticTimer({
    model: getModel(model),
    gpu: getGpu(gpu),
    tensorParallel,
    pipelineStages,
    efficiency,
  });
}

/** Predicted and measured seconds of single layers. */
export function pairLayers(
  gpu: string,
  efficiency: GpuEfficiency,
  observations: readonly Observation[],
): Pair[] {
  const predict = createLayerPredictor(gpu, efficiency, observations);
  return observations.map(({ seconds }, i) => [predict(i), seconds]);
}

/** Fits coefficients to seconds of single layers; all others are as in `base`. */
export function fitLayers(
  gpu: string,
  start: Partial<GpuEfficiency>,
  observations: readonly Observation[],
  base: GpuEfficiency = FREE,
): Partial<GpuEfficiency> {
  return fitRelative(
    start,
    observations.map(({ seconds }) => seconds),
    (coefficients) => createLayerPredictor(gpu, { ...base, ...coefficients }, observations),
  );
}

/** Predicted and measured seconds of whole iterations, CPU overhead included. */
export function pairIterations(
  gpu: string,
  efficiency: GpuEfficiency,
  observations: readonly Observation[],
): Pair[] {
  return observations.map(({ model, tensorParallel, batch, seconds }) => {
    const timer = createTimer(gpu, model, tensorParallel, 1, efficiency);
    return [timer.modelSeconds(batch, 0) + timer.overheadSeconds(batch), seconds];
  });
}
