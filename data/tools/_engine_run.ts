/**
 * Measured runs of a serving engine, and the same requests on the simulator.
 */
import { type EngineRun, replayEngineRun, type RequestLatencies } from "../../lib/fidelity/mod.ts";
import { getGpu, getModel } from "../../lib/hardware/mod.ts";
import { mean } from "../../lib/stats/mod.ts";
import { createAnalyticTimer, type GpuEfficiency } from "../../lib/timing/mod.ts";
import type { FitReport } from "./_fit.ts";
import { reportOf } from "./_fit.ts";

/** Replays a run with the analytic timer. */
export function replay(run: EngineRun, efficiency: GpuEfficiency): RequestLatencies {
  const { gpu, model, tensorParallel } = run;
  return replayEngineRun(
    run,
    createAnalyticTimer({
      model: getModel(model),
      gpu: getGpu(gpu),
      tensorParallel,
      pipelineStages: 1,
      efficiency,
    }),
  );
}

/** Mean over the requests that have the latency. */
export function meanKnown(seconds: Float64Array): number {
  return mean(seconds.filter((value) => !Number.isNaN(value)));
}

/** CPU seconds an iteration that bring the replayed mean TPOT closest to the measured, >= 0. */
export function fitIterationSeconds(run: EngineRun, efficiency: GpuEfficiency): number {
  const target = meanKnown(run.measured.tpot);
  let low = 0;
  let high = 0.01;
  while (high - low > 1e-6) {
    const iterationSeconds = (low + high) / 2;
    const replayed = replay(run, { ...efficiency, iterationSeconds });
    if (meanKnown(replayed.tpot) < target) low = iterationSeconds;
    else high = iterationSeconds;
  }
  return Number(low.toPrecision(2));
}

/** Errors of single requests, with the error of the mean. */
export interface ReplayReport extends FitReport {
  readonly relativeErrorOfMean: number;
}

/** Compares a replay with the run. */
export function reportReplay(
  measured: RequestLatencies,
  replayed: RequestLatencies,
  source: string,
): ReplayReport[] {
  return (["ttft", "tpot", "e2e"] as const).map((name) => {
    const pairs = Array.from(replayed[name], (value, i) => [value, measured[name][i]!] as const);
    const error = meanKnown(replayed[name]) / meanKnown(measured[name]) - 1;
    return {
      ...reportOf(
        pairs.filter(([value]) => !Number.isNaN(value)),
        `${name} of requests, run replayed on the simulator`,
        source,
      ),
      relativeErrorOfMean: Number(error.toFixed(3)),
    };
  });
}
