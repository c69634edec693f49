/**
 * Where policies act: a cluster and the requests that reach it.
 *
 * @module
 */
import type { EvaluationConfig, ExperimentConfig } from "../config/mod.ts";
import { Rng } from "../random/mod.ts";
import { relativeSpeeds } from "../timing/mod.ts";
import { sliceByCount, type Workload } from "../workload/mod.ts";
import { dealTasks, openTask, type TrainingTask } from "./training_task.ts";

/** What policies are judged on: `test`, to report; `validation`, to tune and to choose between. */
export const evaluationSplits = ["test", "validation"] as const;

/** One of {@linkcode evaluationSplits}. */
export type EvaluationSplit = typeof evaluationSplits[number];

/** A cluster with its sources of requests, ready to simulate. */
export interface Scenario extends TrainingTask {
  /** What it was opened from. */
  readonly config: ExperimentConfig;
  /** Speed of each replica relative to the fastest, for routers that are told. */
  readonly relativeSpeeds: Float64Array;
  /** The requests of a training episode; `count` is the configured number by default. */
  trainingWorkload(rng: Rng, count?: number): Workload;
  /** The held-out requests of an evaluation run, of `test` by default: the same for every policy. */
  evaluationWorkload(seed: number, split?: EvaluationSplit): Workload;
  /** What each simulation of a training run is of, `[training.environments]`. */
  readonly trainingTasks: readonly TrainingTask[];
  /** Requests to fit a model of output lengths to: training arrivals, the same at every call. */
  lengthSample(): Workload;
}

/** Random stream of each split's generated arrivals; the trainer's streams have other names. */
const SPLIT_STREAMS: Readonly<Record<EvaluationSplit, string>> = {
  test: "evaluation",
  validation: "validation",
};

/** Generated requests that a model of output lengths is fitted to: as many as a busy hour has. */
const LENGTH_SAMPLE_COUNT = 20_000;

/** How a scenario is opened. */
export interface OpenScenarioOptions {
  /**
   * Whether it has to do for training, too; true by default. A trace that is long enough to evaluate
   * on may be too short for `training.episodeRequests`.
   */
  readonly forTraining?: boolean;
}

/**
 * Opens a scenario: builds the cluster, reads the trace if there is one, and checks that it can be
 * simulated.
 *
 * Training, validation and test never share arrivals. Generated ones come from streams of their own:
 * the trainer's, `validation` and `evaluation` (the test). A trace is split by time, and policies
 * are judged on a stretch of its test (or validation) part for each evaluation seed.
 *
 * @throws {ConfigError} When a cluster cannot be built, or the policy cannot learn from the mixture.
 * @throws {TraceError} When the trace cannot be read, or holds a request that fits no replica.
 * @throws {RangeError} When the trace has too few requests for the configured runs.
 *
 * @example
 * ```ts
 * import { parseExperimentConfig } from "@signalbox/signalbox/config";
 * import { openScenario } from "@signalbox/signalbox/training";
 * import assert from "node:assert/strict";
 *
 * const scenario = await openScenario(parseExperimentConfig({ evaluation: { requests: 50 } }));
 * assert.equal(scenario.replicas.length, 4);
 * assert.deepEqual(scenario.evaluationWorkload(1), scenario.evaluationWorkload(1));
 * ```
 */
export async function openScenario(
  config: ExperimentConfig,
  { forTraining = true }: OpenScenarioOptions = {},
): Promise<Scenario> {
  const own = await openTask(config);
  const { replicas, source } = own;
  const { training, evaluation } = config;
  const { whole } = source;
  const stretches: Partial<Record<EvaluationSplit, (seed: number) => Workload>> = {};
  const scenario: Scenario = {
    config,
    replicas,
    relativeSpeeds: relativeSpeeds(replicas),
    trainingWorkload: (rng, count = training.episodeRequests) =>
      source.sample(rng, { count }, "train"),
    evaluationWorkload: (seed, split = "test") => {
      if (whole === undefined) {
        const rng = new Rng(seed).stream(SPLIT_STREAMS[split]);
        return source.sample(rng, { count: evaluation.requests }, split);
      }
      stretches[split] ??= cutStretches(whole(split), evaluation, split);
      return stretches[split](seed);
    },
    incidents: own.incidents,
    trainingTasks: await dealTasks(config, own),
    lengthSample: () =>
      whole?.("train") ??
        source.sample(new Rng(0).stream("output lengths"), { count: LENGTH_SAMPLE_COUNT }, "train"),
  };
  // A trace that is too short is refused now, not after the training.
  const tasks = forTraining ? [scenario, ...scenario.trainingTasks] : [];
  for (const task of new Set<TrainingTask>(tasks)) probeTraining(task, config);
  scenario.evaluationWorkload(evaluation.seeds[0]!);
  return scenario;
}

/** Refuses training arrivals that do not make an episode. */
function probeTraining(
  task: TrainingTask,
  { seed, training: { episodeRequests } }: ExperimentConfig,
): void {
  try {
    task.trainingWorkload(new Rng(seed).stream("probe"), episodeRequests);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RangeError(`${cause.message} (training.episodeRequests)`, { cause });
  }
}

/**
 * Evaluation runs from a trace: stretches that do not overlap, one a seed, in order. Overlapping
 * ones would be counted as independent runs and make intervals look better than they are.
 */
function cutStretches(
  part: Workload,
  { seeds, requests }: EvaluationConfig,
  split: EvaluationSplit,
): (seed: number) => Workload {
  const stride = Math.floor(part.count / seeds.length);
  if (stride < 2) {
    throw new RangeError(
      `Cannot evaluate on ${part.name}: its ${split} part must have at least two requests for each of ` +
        `the ${seeds.length} evaluation.seeds, current number is ${part.count}`,
    );
  }
  return (seed) => {
    const position = seeds.indexOf(seed);
    if (position < 0) {
      throw new RangeError(
        `Cannot evaluate on ${part.name}: seed must be one of evaluation.seeds (${seeds}), current value is ${seed}`,
      );
    }
    return sliceByCount(part, position * stride, Math.min(requests, stride));
  };
}
