/**
 * What the simulations of a training run are of.
 *
 * @module
 */
import type { ExperimentConfig } from "../config/mod.ts";
import type { Rng } from "../random/mod.ts";
import {
  buildCluster,
  drawIncidents,
  maxSequenceTokens,
  type ReplicaIncident,
  type ReplicaSpec,
} from "../simulator/mod.ts";
import { ConfigError, TraceError } from "../support/mod.ts";
import { openWorkload, type Workload, type WorkloadSource } from "../workload/mod.ts";
import { hasten } from "./_hasten.ts";
import { clusterSizeReason } from "./trained_policy.ts";

/** A cluster and the requests that reach it in training. */
export interface TrainingTask {
  /** The cluster. */
  readonly replicas: readonly ReplicaSpec[];
  /** The requests of a training episode. */
  trainingWorkload(rng: Rng, count: number): Workload;
  /** What happens to replicas in a run of these requests; the times are drawn from `rng`. */
  incidents(rng: Rng, workload: Workload): readonly ReplicaIncident[];
}

/** A task with where its requests come from. */
export interface OpenedTask extends TrainingTask {
  /** Source of the requests. */
  readonly source: WorkloadSource;
}

/**
 * Opens the task that an experiment itself is about.
 *
 * @throws {ConfigError} When the cluster cannot be built.
 * @throws {TraceError} When the trace cannot be read, or holds a request that fits no replica.
 */
export async function openTask(
  config: Pick<ExperimentConfig, "cluster" | "workload" | "incidents">,
): Promise<OpenedTask> {
  const replicas = buildCluster(config.cluster);
  const source = await openWorkload(config.workload);
  return createTask(config, replicas, source);
}

/**
 * The task of each simulation, `[training.environments]`: the experiment's own, or where there is a
 * mixture its entries in proportion to their weights, dealt as evenly as whole numbers allow.
 *
 * @throws {ConfigError} When an entry would get no simulation, or clusters differ in size and the
 *   policy cannot share what it learns.
 */
export async function dealTasks(
  config: ExperimentConfig,
  own: OpenedTask,
): Promise<readonly TrainingTask[]> {
  const { mixture, environments } = config.training;
  if (mixture.length === 0) return Array.from({ length: environments }, () => own);
  const dealt = dealByWeight(mixture.map(({ weight }) => weight), environments);
  const missing = mixture.findIndex((_, entry) => !dealt.includes(entry));
  if (missing >= 0) {
    throw new ConfigError(
      "training.environments",
      environments,
      `enough for each entry of training.mixture, of which training.mixture[${missing}] gets none`,
    );
  }
  const tasks = await Promise.all(mixture.map(async (entry) => {
    const settings = {
      cluster: entry.cluster ?? config.cluster,
      workload: entry.workload ?? config.workload,
      incidents: entry.incidents ?? config.incidents,
    };
    const task = createTask(
      settings,
      entry.cluster === null ? own.replicas : buildCluster(entry.cluster),
      entry.workload === null ? own.source : await openWorkload(entry.workload),
    );
    return withRateScale(task, entry.rateScale);
  }));
  const reason = clusterSizeReason(config);
  const other = tasks.findIndex(({ replicas }) => replicas.length !== own.replicas.length);
  if (reason !== undefined && other >= 0) {
    throw new ConfigError(
      `training.mixture[${other}].cluster`,
      `${tasks[other]!.replicas.length} replicas`,
      `of ${own.replicas.length} replicas, as the experiment's cluster, since ${reason}`,
    );
  }
  return dealt.map((entry) => tasks[entry]!);
}

/** Replicas of the largest cluster that a run trains on: observations of others are padded to it. */
export function largestReplicaCount(tasks: readonly TrainingTask[]): number {
  return Math.max(...tasks.map(({ replicas }) => replicas.length));
}

/**
 * Which entry each of `count` gets: smooth weighted round robin, so that neighbours differ and each
 * entry's number is its share rounded up or down.
 */
function dealByWeight(weights: readonly number[], count: number): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const credits = weights.map(() => 0);
  return Array.from({ length: count }, () => {
    weights.forEach((weight, entry) => credits[entry]! += weight);
    const next = credits.indexOf(Math.max(...credits));
    credits[next]! -= total;
    return next;
  });
}

function createTask(
  { workload, incidents }: Pick<ExperimentConfig, "workload" | "incidents">,
  replicas: readonly ReplicaSpec[],
  source: WorkloadSource,
): OpenedTask {
  if (workload.kind === "trace") refuseOverlongRequests(source, replicas, workload.path);
  return {
    replicas,
    source,
    trainingWorkload: (rng, count) => source.sample(rng, { count }, "train"),
    incidents: (rng, { arrivalSeconds, count }) =>
      drawIncidents(incidents, rng, {
        durationSeconds: arrivalSeconds[count - 1] ?? 0,
        replicaCount: replicas.length,
      }),
  };
}

/** The task under loads of which each episode draws its own, from a stream apart. */
function withRateScale(
  task: OpenedTask,
  [low, high]: readonly [low: number, high: number],
): TrainingTask {
  return {
    ...task,
    trainingWorkload: (rng, count) => {
      const rateScale = low + (high - low) * rng.stream("rate").uniform();
      return hasten(task.trainingWorkload(rng, count), rateScale);
    },
  };
}

/** Refuses a trace with a request that some replica could never serve. */
function refuseOverlongRequests(
  source: WorkloadSource,
  replicas: readonly ReplicaSpec[],
  path: string,
): void {
  const { count, promptTokens, outputTokens } = source.whole!("all");
  const limits = replicas.map(maxSequenceTokens);
  const limit = Math.min(...limits);
  for (let i = 0; i < count; i++) {
    const tokens = promptTokens[i]! + outputTokens[i]!;
    if (tokens <= limit) continue;
    const replica = limits.indexOf(limit);
    throw new TraceError(
      path,
      0,
      `request ${i} (counted from 0) must have at most ${limit} tokens, what the KV memory of ` +
        `replica ${replica} (${replicas[replica]!.gpu}) can hold, current value is ${tokens} ` +
        `(${promptTokens[i]} prompt + ${outputTokens[i]} output); set workload.maxTokens and ` +
        "workload.overLength to drop or clip such requests",
    );
  }
}
