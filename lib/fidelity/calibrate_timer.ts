/**
 * The analytic timer, fitted to what an engine logged.
 *
 * @module
 */
import { getGpu } from "../hardware/mod.ts";
import { mean } from "../stats/mod.ts";
import { ConfigError } from "../support/mod.ts";
import {
  type AnalyticProfile,
  createAnalyticTimer,
  getGpuEfficiency,
  type GpuEfficiency,
} from "../timing/mod.ts";
import { calibrated } from "./_calibration_coefficients.ts";
import { fitCoefficients, type FitProblem, type RequestBlock } from "./_calibration_fit.ts";
import { describeCoefficients, warningsOf } from "./_calibration_report.ts";
import { latencyMetrics } from "./compare_latencies.ts";
import type { RequestLatencies } from "./engine_log.ts";
import type { EngineRun } from "./engine_run.ts";
import { modelOf } from "./engine_settings.ts";
import { replayEngineRun } from "./replay_engine_run.ts";

/** Fewest requests of a log: below, a half of it says nothing. */
const MIN_REQUESTS = 40;
/** Blocks that a log is cut into at most, and requests a block at least. */
const MAX_BLOCKS = 24;
const MIN_BLOCK_REQUESTS = 10;

const METHOD =
  "The logs' requests are replayed on the vllm_v1 scheduler. Levenberg-Marquardt minimises a robust " +
  "(pseudo-Huber) loss of log(simulated mean / measured mean) of TTFT, TPOT and E2E over blocks of " +
  "time, plus the squared distance of each coefficient from what was expected, in standard deviations.";

/** Options of {@linkcode calibrateTimer}. */
export interface CalibrationOptions {
  /** Blocks of time that are held out in turn, >= 2. Default 4. */
  readonly folds?: number;
}

/** A profile, and replays to look at. */
export interface Calibration {
  /** Fitted to all requests. */
  readonly profile: AnalyticProfile;
  /** Coefficients fitted to the first half of each log only. */
  readonly firstHalf: GpuEfficiency;
}

/**
 * Fits four coefficients of the analytic timer to logs: how fast it computes, reads weights and reads
 * the KV cache, relative to the catalogue's figures for the GPU, and the CPU time of an iteration.
 *
 * Each is drawn towards what is expected (the catalogue's figure, 20 % either way; 1 ms, 1 ms either
 * way) as far as the log says nothing of it: a log at one load cannot tell all of them apart. What it
 * does not tell is stated: a coefficient whose standard error (delete-a-block jackknife over blocks
 * of time, Künsch 1989) is more than half the expected deviation, and pairs that change the latencies
 * in nearly the same way.
 *
 * Latencies of requests that are held out are not looked at; their arrivals and lengths are replayed
 * with the others, as the requests compete for the same engine.
 *
 * @param runs Logs of one kind of GPU, at one or several loads, of one or several models.
 * @throws {ConfigError} When there is no run, GPUs differ, the catalogue lacks the GPU's figures, or
 *   a log has fewer than 40 requests.
 */
export function calibrateTimer(
  runs: readonly EngineRun[],
  options: CalibrationOptions = {},
): Calibration {
  const { folds = 4 } = options;
  checkRuns(runs, folds);
  const prior = getGpuEfficiency(runs[0]!.gpu);
  const problem: FitProblem = {
    measured: runs.map(({ measured }) => measured),
    replay: (deviations) => runs.map((run) => replayAnalytic(run, calibrated(prior, deviations))),
  };
  const cut = runs.map((run, i) => blocksOf(i, run.workload.count));
  const blocks = cut.flat();
  /** Blocks of which share `[from, to)` of each log consists. */
  const stretch = (from: number, to: number): RequestBlock[] =>
    cut.flatMap((ofRun) =>
      ofRun.slice(Math.round(from * ofRun.length), Math.round(to * ofRun.length))
    );
  const errorsOf = (deviations: readonly number[], tested: readonly RequestBlock[]) =>
    meanErrors(problem, problem.replay(deviations), tested);

  const held = Array.from({ length: folds }, (_, k) => stretch(k / folds, (k + 1) / folds));
  const foldFits = held.map((tested) =>
    fitCoefficients(problem, blocks.filter((block) => !tested.includes(block))).deviations
  );
  // Of two folds, the second one's fit is the first half's.
  const half = folds === 2 ? foldFits[1]! : fitCoefficients(problem, stretch(0, 0.5)).deviations;
  const { deviations, jacobian } = fitCoefficients(problem, blocks);
  const coefficients = describeCoefficients(deviations, foldFits);
  return {
    firstHalf: calibrated(prior, half),
    profile: {
      format: "signalbox-profile",
      version: 1,
      kind: "analytic",
      gpu: runs[0]!.gpu,
      models: [...new Set(runs.map(({ model }) => model))],
      logs: runs.map(({ workload }) => workload.name),
      requests: runs.reduce((sum, { workload }) => sum + workload.count, 0),
      method: METHOD,
      efficiency: calibrated(prior, deviations),
      coefficients,
      halves: {
        fitted: errorsOf(half, stretch(0, 0.5)),
        heldOut: errorsOf(half, stretch(0.5, 1)),
      },
      folds: held.map((tested, k) => errorsOf(foldFits[k]!, tested)),
      warnings: warningsOf(coefficients, jacobian, deviations),
    },
  };
}

/**
 * Replays a run with the analytic timer.
 *
 * @param efficiency Its coefficients; the catalogue's for the run's GPU by default.
 */
export function replayAnalytic(
  run: EngineRun,
  efficiency: GpuEfficiency = getGpuEfficiency(run.gpu),
): RequestLatencies {
  const timer = createAnalyticTimer({
    model: modelOf(run),
    gpu: getGpu(run.gpu),
    tensorParallel: run.tensorParallel,
    pipelineStages: 1,
    // Half the bytes are read twice as fast.
    efficiency: { ...efficiency, decodeMemory: efficiency.decodeMemory * 2 / run.kvNumberBytes },
  });
  return replayEngineRun(run, timer);
}

function checkRuns(runs: readonly EngineRun[], folds: number): void {
  if (runs.length === 0) throw new ConfigError("logs", [], "at least one");
  if (!Number.isSafeInteger(folds) || folds < 2 || folds > MAX_BLOCKS / 2) {
    throw new ConfigError("folds", folds, `an integer from 2 to ${MAX_BLOCKS / 2}`);
  }
  for (const { gpu, workload } of runs) {
    if (gpu !== runs[0]!.gpu) throw new ConfigError("gpu", gpu, `${runs[0]!.gpu} in every log`);
    if (workload.count < Math.max(MIN_REQUESTS, 2 * folds * MIN_BLOCK_REQUESTS)) {
      throw new ConfigError(
        `requests of ${workload.name}`,
        workload.count,
        `>= ${Math.max(MIN_REQUESTS, 2 * folds * MIN_BLOCK_REQUESTS)} for ${folds} folds`,
      );
    }
  }
}

/** Cuts a log into equal blocks of consecutive arrivals. */
function blocksOf(run: number, count: number): RequestBlock[] {
  const blocks = Math.min(MAX_BLOCKS, Math.floor(count / MIN_BLOCK_REQUESTS));
  return Array.from({ length: blocks }, (_, i) => ({
    run,
    from: Math.floor(i * count / blocks),
    to: Math.floor((i + 1) * count / blocks),
  }));
}

/** Relative error of the mean over the blocks' requests that have the latency. */
function meanErrors(
  problem: FitProblem,
  simulated: readonly RequestLatencies[],
  blocks: readonly RequestBlock[],
): { ttft: number; tpot: number; e2e: number } {
  const errors = latencyMetrics.map((metric) => {
    const pick = (latencies: readonly RequestLatencies[]): number =>
      mean(
        blocks.flatMap(({ run, from, to }) =>
          [...latencies[run]![metric].subarray(from, to)].filter((value) => !Number.isNaN(value))
        ),
      );
    return [metric, Number((pick(simulated) / pick(problem.measured) - 1).toFixed(5))];
  });
  return Object.fromEntries(errors);
}
