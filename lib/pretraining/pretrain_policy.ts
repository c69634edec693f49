/**
 * Behaviour cloning.
 *
 * @module
 */
import type { ExperimentConfig } from "../config/mod.ts";
import { createPolicy, type Policy } from "../policy/mod.ts";
import type { Rng } from "../random/mod.ts";
import { buildCluster } from "../simulator/mod.ts";
import { RunningNormalizer, sharedStatisticSlots, StateBuilder } from "../state/mod.ts";
import { ConfigError, UsageError } from "../support/mod.ts";
import type { TrainedPolicy } from "../training/mod.ts";
import { Cloner } from "./_cloner.ts";
import { selectColumns } from "./_select_columns.ts";
import { answer, cutSequences, gatherBatch, type PolicyInputs } from "./_sequences.ts";
import { type Agreement, agreementByRouter, overallAgreement } from "./agreement.ts";
import type { Demonstrations } from "./demonstration_folder.ts";
import type { PretrainingConfig } from "./pretraining_schema.ts";
import { splitEpisodes } from "./split_episodes.ts";
import { decisionWeights, teacherTargets } from "./teacher_targets.ts";

/** How to pretrain. */
export interface PretrainOptions {
  /** Hyper-parameters. */
  readonly config: PretrainingConfig;
  /** Source of everything random; only its streams are used. */
  readonly rng: Rng;
  /** Called after every epoch. */
  readonly onEpoch?: (epoch: PretrainingEpoch) => void;
  /** Checked between epochs. */
  readonly signal?: AbortSignal | undefined;
}

/** What one epoch did. Losses are weighted means of KL(target || policy) in nats: 0 is perfect. */
export interface PretrainingEpoch {
  /** Which, from 1. */
  readonly epoch: number;
  /** Over the training episodes, while the weights moved. */
  readonly trainingLoss: number;
  /** Over the validation episodes, after the epoch. */
  readonly validationLoss: number;
  /** With the routers of the validation episodes. */
  readonly agreement: Agreement;
  /** Whether the validation loss is the lowest so far. */
  readonly isBest: boolean;
}

/** What pretraining leaves. */
export interface PretrainedPolicy {
  /** The policy of the best epoch, owned by the caller, its normaliser fitted and frozen. */
  readonly trained: TrainedPolicy;
  /** What happened. */
  readonly epochs: readonly PretrainingEpoch[];
  /** The epoch of the lowest validation loss. */
  readonly bestEpoch: number;
  /** Whether patience ended it before the last epoch. */
  readonly stoppedEarly: boolean;
  /** Agreement of the best epoch on the validation episodes, by router. */
  readonly agreements: ReadonlyMap<string, Agreement>;
}

/**
 * Clones routers into a policy: fits the normaliser to the training episodes, then minimises the
 * divergence from the targets through the whole network that decides (the value function learns
 * nothing: demonstrations have no rewards). Recurrent policies are trained on sequences, from the
 * hidden states that the policy had there at the beginning of the epoch. Stops when the loss on
 * episodes held out has not fallen for `patience` epochs and takes the weights of its lowest.
 *
 * Source: spec/scheduler.md section 12; stored hidden states after Kapturowski et al., "Recurrent
 * experience replay in distributed reinforcement learning" (2019), section 3.
 *
 * Columns that were collected and that the experiment's observations do not have are left out, so
 * that demonstrations of the preset `default` serve policies that know no columns for the value only.
 *
 * @param experiment What the policy is for: its cluster, observations, normaliser and network.
 * @throws {UsageError} When the demonstrations are of other observations or another number of
 *   replicas, or too few to be split.
 * @throws {ConfigError} When a router is named that is not among them.
 * @throws The signal's reason when it fires.
 */
export async function pretrainPolicy(
  experiment: ExperimentConfig,
  demonstrations: Demonstrations,
  { config, rng, onEpoch, signal }: PretrainOptions,
): Promise<PretrainedPolicy> {
  const replicaCount = buildCluster(experiment.cluster).length;
  const { layout, schemaHash } = new StateBuilder(experiment.state, replicaCount);
  refuseMisfits(demonstrations, config, replicaCount);
  const observations = selectColumns(demonstrations, experiment);
  const { training, validation } = splitEpisodes(
    demonstrations.manifest,
    config.validationShare,
    rng.stream("split"),
  );
  const normalizer = new RunningNormalizer(
    layout.size,
    experiment.normalizer,
    experiment.normalizer.shareReplicas ? sharedStatisticSlots(layout) : undefined,
  );
  for (const { begin, length } of rangesOf(demonstrations, training)) {
    const [from, to] = [begin * layout.size, (begin + length) * layout.size];
    normalizer.update(observations.subarray(from, to));
  }
  normalizer.freeze();
  const trainingWeights = decisionWeights(demonstrations, training, config.weights);
  const validationWeights = decisionWeights(demonstrations, validation, config.weights);
  const policy = createPolicy(
    experiment.policy,
    { observationSize: layout.size, actionCount: replicaCount, replicaLayout: layout },
    rng.stream("weights"),
  );
  const run = new PretrainingRun(policy, demonstrations, {
    config,
    rng: rng.stream("batches"),
    inputs: {
      observations: normalizer.normalize(observations, new Float32Array(observations.length)),
      actionMasks: demonstrations.actionMasks,
    },
    training,
    validation,
    weights: trainingWeights.map((weight, row) => weight + validationWeights[row]!),
  });
  try {
    const epochs: PretrainingEpoch[] = [];
    let best = policy.getWeights();
    let bestLoss = Infinity;
    let bestEpoch = 0;
    for (let epoch = 1; epoch <= config.epochs && epoch - bestEpoch <= config.patience; epoch++) {
      await new Promise((resolve) => setTimeout(resolve, 0)); // lets signals in
      signal?.throwIfAborted();
      const trainingLoss = run.train();
      const { loss: validationLoss, agreements } = run.validate();
      const isBest = validationLoss < bestLoss;
      if (isBest) [best, bestLoss, bestEpoch] = [policy.getWeights(), validationLoss, epoch];
      const agreement = overallAgreement(agreements);
      epochs.push({ epoch, trainingLoss, validationLoss, agreement, isBest });
      onEpoch?.(epochs.at(-1)!);
    }
    policy.setWeights(best);
    const { agreements } = run.validate();
    const stoppedEarly = epochs.length < config.epochs;
    const trained = { config: experiment, policy, normalizer, schemaHash, replicaCount };
    return { trained, epochs, bestEpoch, stoppedEarly, agreements };
  } catch (error) {
    policy.dispose();
    throw error;
  } finally {
    run.dispose();
  }
}

interface RunOptions {
  readonly config: PretrainingConfig;
  readonly rng: Rng;
  readonly inputs: PolicyInputs;
  readonly training: readonly number[];
  readonly validation: readonly number[];
  /** `[R]`, of the decisions in their losses. */
  readonly weights: Float64Array;
}

/** The data of a run, and its optimiser. */
class PretrainingRun {
  readonly #policy: Policy;
  readonly #data: Demonstrations;
  readonly #options: RunOptions;
  readonly #cloner: Cloner;
  readonly #targets: ReturnType<typeof teacherTargets>;
  readonly #sequenceLength: number;

  constructor(policy: Policy, data: Demonstrations, options: RunOptions) {
    this.#policy = policy;
    this.#data = data;
    this.#options = options;
    this.#targets = teacherTargets(data, options.config);
    this.#sequenceLength = policy.hiddenStateSize === 0 ? 1 : options.config.sequenceLength;
    this.#cloner = new Cloner(policy, options.config);
  }

  /** One epoch; the loss of its batches. */
  train(): number {
    const { config, rng, inputs, training } = this.#options;
    const sequenceLength = this.#sequenceLength;
    const episodes = rangesOf(this.#data, training);
    const sequences = cutSequences(episodes, sequenceLength);
    const { hiddenStates } = this.#policy.hiddenStateSize === 0
      ? { hiddenStates: new Float32Array(0) }
      : answer(this.#policy, inputs, { episodes, sequenceLength });
    const order = rng.shuffle(Int32Array.from(sequences, (_, i) => i));
    const perBatch = Math.max(1, Math.floor(config.batchSize / sequenceLength));
    const { actions } = this.#data;
    let crossEntropy = 0;
    let entropy = 0;
    let count = 0;
    for (let from = 0; from < order.length; from += perBatch) {
      const chosen = order.subarray(from, from + perBatch);
      const { batch, rows } = gatherBatch(this.#policy, inputs, {
        sequences,
        chosen,
        sequenceLength,
        hiddenStates,
        actions,
      });
      const rowCount = rows.reduce((sum, row) => sum + (row < 0 ? 0 : 1), 0);
      const weights = Float32Array.from(
        rows,
        (row) => row < 0 ? 0 : this.#options.weights[row]! / rowCount,
      );
      crossEntropy += rowCount * this.#cloner.step(batch, this.#targetsOf(rows), weights);
      for (const row of rows) {
        if (row >= 0) entropy += this.#options.weights[row]! * this.#targets.entropies[row]!;
      }
      count += rowCount;
    }
    return (crossEntropy - entropy) / count;
  }

  /** Loss and agreement on the validation episodes. */
  validate(): { readonly loss: number; readonly agreements: Map<string, Agreement> } {
    const { inputs, validation, weights } = this.#options;
    const episodes = rangesOf(this.#data, validation);
    const { actions, logProbabilities } = answer(this.#policy, inputs, {
      episodes,
      sequenceLength: this.#sequenceLength,
    });
    const { actionCount } = this.#policy;
    const { probabilities, entropies } = this.#targets;
    let sum = 0;
    let count = 0;
    for (const { begin, length } of episodes) {
      for (let row = begin; row < begin + length; row++) {
        let divergence = -entropies[row]!;
        for (let i = row * actionCount; i < (row + 1) * actionCount; i++) {
          if (probabilities[i]! > 0) divergence -= probabilities[i]! * logProbabilities[i]!;
        }
        sum += weights[row]! * divergence;
        count++;
      }
    }
    return { loss: sum / count, agreements: agreementByRouter(this.#data, validation, actions) };
  }

  /** Frees the optimiser. */
  dispose(): void {
    this.#cloner.dispose();
  }

  /** Targets of rows, `[rows, A]`; zeros for rows of -1. */
  #targetsOf(rows: Int32Array): Float32Array {
    const { actionCount } = this.#policy;
    const result = new Float32Array(rows.length * actionCount);
    rows.forEach((row, i) => {
      if (row < 0) return;
      const begin = row * actionCount;
      const target = this.#targets.probabilities.subarray(begin, begin + actionCount);
      result.set(target, i * actionCount);
    });
    return result;
  }
}

/** Rows of some episodes. */
function rangesOf(
  { manifest, episodeRows }: Demonstrations,
  episodes: readonly number[],
): { readonly begin: number; readonly length: number }[] {
  return episodes.map((e) => ({
    begin: episodeRows[e]!,
    length: manifest.episodes[e]!.decisionCount,
  }));
}

/** Refuses demonstrations of another cluster, and settings for routers that are not in them. */
function refuseMisfits(
  { manifest }: Demonstrations,
  { temperatures, weights }: PretrainingConfig,
  replicaCount: number,
): void {
  if (manifest.replicaCount !== replicaCount) {
    throw new UsageError(
      `Cannot pretrain: replicaCount of the demonstrations must be ${replicaCount}, as in the experiment, current value is ${manifest.replicaCount}`,
    );
  }
  const routers = new Set(manifest.episodes.map(({ router }) => router));
  for (const [key, record] of Object.entries({ temperatures, weights })) {
    const unknown = Object.keys(record).find((router) => !routers.has(router));
    if (unknown === undefined) continue;
    throw new ConfigError(
      `pretraining.${key}`,
      unknown,
      `for routers of the demonstrations (${[...routers].join(", ")})`,
    );
  }
}
