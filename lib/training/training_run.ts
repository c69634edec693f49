/**
 * A training run, update by update.
 *
 * @module
 */
import { ClusterTailLatency } from "../metrics/mod.ts";
import { createPolicy, type NamedWeights, type Policy } from "../policy/mod.ts";
import { PpoTrainer, ReferencePolicy, RewardScaler, type RolloutBuffer } from "../ppo/mod.ts";
import { Rng, type RngState } from "../random/mod.ts";
import {
  RunningNormalizer,
  sharedStatisticSlots,
  StateBuilder,
  type StateLayout,
} from "../state/mod.ts";
import {
  createTrainingEnvironments,
  type RunTotals,
  stabilizeStatistics,
  sumTotals,
} from "./_training_environments.ts";
import { trainingWarnings } from "./_warnings.ts";
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import type { TrainingState } from "./checkpoint/training_state.ts";
import { CreditQueue } from "./credit_queue.ts";
import { collectCreditedRollout } from "./credited_rollout.ts";
import { type CurriculumPosition, curriculumPosition } from "./curriculum.ts";
import { type DecisionRecord, DecisionRecorder } from "./decision_record.ts";
import type { InitialPolicy } from "./initial_policy.ts";
import { RewardLog, type RewardLoggedEnvironment } from "./reward_log.ts";
import { collectRollout, createRolloutBuffer, type RolloutStats } from "./rollout.ts";
import type { Scenario } from "./scenario.ts";
import { TemperatureController, temperatureSignals } from "./temperature_controller.ts";
import type { TrainedPolicy } from "./trained_policy.ts";
import { largestReplicaCount } from "./training_task.ts";
import type { UpdateRecord } from "./update_record.ts";
import { VectorEnvironment } from "./vector_environment.ts";

/** Optional parts of a {@linkcode TrainingRun}. */
export interface TrainingRunOptions {
  /** Told of every single decision; nothing is recorded when left out. */
  readonly onDecision?: ((record: DecisionRecord) => void) | undefined;
}

/** A checkpoint that training can go on from. */
export type ResumableCheckpoint = Checkpoint & { readonly training: TrainingState };

/**
 * Everything that a training run holds and remembers: simulations, policy, trainer, statistics,
 * random streams. {@linkcode TrainingRun.save} between two updates and a run constructed from what
 * it returns go on with exactly the same numbers.
 */
export class TrainingRun {
  readonly #scenario: Scenario;
  readonly #seed: number;
  readonly #log = new RewardLog();
  readonly #members: RewardLoggedEnvironment[];
  readonly #environments: VectorEnvironment<RewardLoggedEnvironment>;
  readonly #normalizer: RunningNormalizer;
  readonly #policy: Policy;
  readonly #reference: { readonly policy: Policy; readonly memory: ReferencePolicy } | undefined;
  readonly #trainer: PpoTrainer;
  readonly #buffer: RolloutBuffer;
  readonly #rewardScaler: RewardScaler | undefined;
  readonly #queue: CreditQueue | undefined;
  readonly #temperatures: readonly TemperatureController[];
  readonly #actionRng: Rng;
  readonly #minibatchRng: Rng;
  /** Decisions that each environment took before learning began. */
  readonly #stabilizationSteps: number;
  readonly #recorder: DecisionRecorder | undefined;
  #tails: ClusterTailLatency;
  #totals: RunTotals;
  #update = 0;
  #score: number | null = null;

  /**
   * A run at its beginning, with random weights and statistics stabilised or with a policy given to
   * it, or where a checkpoint left it.
   *
   * @param rng Source of everything random; only its streams are used.
   * @param start A checkpoint of this scenario with its training state, or the policy to begin with,
   *   given exactly when `training.initialPolicy` is.
   */
  constructor(
    scenario: Scenario,
    rng: Rng,
    start?: ResumableCheckpoint | InitialPolicy,
    { onDecision }: TrainingRunOptions = {},
  ) {
    const { config } = scenario;
    const resumed = start !== undefined && "training" in start ? start : undefined;
    const state = resumed?.training;
    this.#scenario = scenario;
    this.#seed = rng.seed;
    const { layout } = new StateBuilder(config.state, largestReplicaCount(scenario.trainingTasks));
    const createTails = (): ClusterTailLatency =>
      new ClusterTailLatency(config.training.tailLatency, layout.replicaCount);
    this.#tails = createTails();
    this.#members = createTrainingEnvironments(scenario, {
      rng,
      log: this.#log,
      difficulty: () => this.#curriculum().difficulty,
      onLatency: (latencySeconds, replica) => this.#tails.add(latencySeconds, replica),
    });
    this.#normalizer = start === undefined
      ? new RunningNormalizer(
        layout.size,
        config.normalizer,
        config.normalizer.shareReplicas ? sharedStatisticSlots(layout) : undefined,
      )
      : RunningNormalizer.fromJSON(start.normalizer, config.normalizer);
    const isWarm = config.training.initialPolicy !== null;
    // Otherwise the inputs of the policy and of its reference would change under them.
    if (isWarm) this.#normalizer.freeze();
    this.#environments = new VectorEnvironment(this.#members, { normalizer: this.#normalizer });
    const { count: environmentCount, observationSize, actionCount } = this.#environments;
    const stabilizationDecisions = isWarm ? 0 : config.training.statisticsStabilizationSteps;
    this.#stabilizationSteps = Math.ceil(stabilizationDecisions / environmentCount);
    if (state === undefined) {
      stabilizeStatistics(this.#environments, stabilizationDecisions, rng);
      // Rewards of decisions that nobody learns from.
      for (const { inner } of this.#members) inner.takeCredits();
      this.#log.clear();
      this.#tails = createTails();
    } else {
      this.#environments.restore(state.episodes, ({ inner }, n, observation) => {
        inner.restore(state.environments[n]!, observation);
      });
      // After the replays, which tell it of old requests again.
      this.#tails.restore(state.tailLatency);
    }
    this.#totals = sumTotals(this.#members);
    this.#temperatures = config.training.temperature.mode === "off"
      ? []
      : this.#members.map(() => new TemperatureController(config.training.temperature));
    this.#recorder = onDecision && new DecisionRecorder({
      members: this.#members,
      temperatures: this.#temperatures,
      update: () => this.#update + 1,
      onDecision,
    });
    this.#actionRng = openStream(rng, "actions", state?.actionRng);
    this.#minibatchRng = openStream(rng, "minibatches", state?.minibatchRng);

    this.#policy = createPolicy(
      config.policy,
      { observationSize, actionCount, replicaLayout: layout },
      rng.stream("weights"),
    );
    try {
      if (start !== undefined) this.#policy.setWeights(start.weights);
      const referenceWeights = state === undefined ? start?.weights : state.reference?.weights;
      this.#reference = referenceWeights && this.#createReference(referenceWeights, layout);
      const reference = this.#reference?.memory;
      this.#trainer = new PpoTrainer(this.#policy, config.ppo, {
        rng: this.#minibatchRng,
        reference,
      });
    } catch (error) {
      this.#policy.dispose();
      throw error;
    }
    this.#buffer = createRolloutBuffer(this.#policy, config.ppo, { environmentCount });
    const { gamma, rewardClip: clip } = config.ppo;
    this.#rewardScaler = config.ppo.rewardScaling
      ? new RewardScaler({ environmentCount, gamma, clip })
      : undefined;
    // Rewards that come when a request completes wait for it outside the buffer.
    this.#queue = config.reward.mode === "request"
      ? new CreditQueue({
        firstDecisions: this.#members.map(({ inner }) => inner.totals.decisionCount),
        hiddenStateSize: this.#policy.hiddenStateSize,
      })
      : undefined;
    if (resumed !== undefined) this.#restore(resumed);
  }

  /** Updates done. */
  get updatesDone(): number {
    return this.#update;
  }

  /** The rollout of the last update; overwritten by the next. */
  get rollout(): RolloutBuffer {
    return this.#buffer;
  }

  /**
   * One rollout and one update.
   *
   * @param updateCount Updates that the run will have in all, for the schedules.
   */
  update(updateCount: number): UpdateRecord {
    const rollout = this.#collect();
    const stats = this.#trainer.update(this.#buffer, { progress: this.#update / updateCount });
    this.#update++;
    const before = this.#totals;
    this.#totals = sumTotals(this.#members);
    const { simulatedSeconds, completedCount, latencySumSeconds } = this.#totals;
    const completed = completedCount - before.completedCount;
    const { means: reward, rewardStd, rewardMin, rewardMax } = this.#log.take();
    this.#score = rollout.rewardMean;
    const actionCounts = Array.from(rollout.actionCounts);
    const actionShares = actionCounts.map((chosen) => chosen / rollout.decisionCount);
    // Simulations run side by side, so their mean is the run's clock.
    const tailLatencyAlert = this.#tails.check(simulatedSeconds / this.#members.length);
    return {
      update: this.#update,
      updateCount,
      decisions: this.#update * rollout.decisionCount,
      simulatedSeconds,
      stats,
      reward,
      rewardStd,
      rewardMin,
      rewardMax,
      valueMean: meanOf(this.#buffer.values),
      returnMean: meanOf(this.#buffer.returns),
      advantageStd: standardDeviationOf(this.#buffer.advantages),
      temperature: rollout.temperatureMean,
      throughput: completed / (simulatedSeconds - before.simulatedSeconds),
      latencyMeanSeconds: completed === 0
        ? null
        : (latencySumSeconds - before.latencySumSeconds) / completed,
      tailLatency: this.#tails.summary() ?? null,
      actionCounts,
      actionShares,
      curriculum: this.#curriculum(),
      warnings: trainingWarnings({
        actionShares,
        entropy: stats.entropy,
        rewardMean: reward.reward,
        rewardStd,
        gradNorm: stats.gradNorm,
        tailLatencyAlert,
      }),
    };
  }

  /**
   * The run as it is now, between two updates. Its score is the mean reward of the last rollout.
   *
   * @returns Arrays of its own.
   */
  save(): Checkpoint {
    const { config } = this.#scenario;
    return {
      config,
      schemaHash: this.#members[0]!.inner.schemaHash,
      replicaCount: this.#environments.actionCount,
      update: this.#update,
      decisions: this.#update * this.#buffer.actions.length,
      score: this.#score,
      weights: this.#policy.getWeights(),
      normalizer: this.#normalizer.toJSON(),
      training: {
        seed: this.#seed,
        trainer: this.#trainer.getState(),
        actionRng: this.#actionRng.getState(),
        minibatchRng: this.#minibatchRng.getState(),
        rewardScaler: this.#rewardScaler?.getState() ?? null,
        hiddenStates: this.#buffer.hiddenStates.slice(),
        reference: this.#reference && {
          weights: this.#reference.policy.getWeights(),
          hiddenStates: this.#reference.memory.hiddenStates.slice(),
        },
        openDecisions: this.#queue?.toJSON() ?? null,
        episodes: this.#environments.toJSON(),
        environments: this.#members.map(({ inner }) => inner.toJSON()),
        temperatures: this.#temperatures.map((controller) => controller.toJSON()),
        tailLatency: this.#tails.toJSON(),
      },
    };
  }

  /** The policy as it is now, to act with until the next update; the run keeps owning it. */
  current(): TrainedPolicy {
    const { config } = this.#scenario;
    const normalizer = RunningNormalizer.fromJSON(this.#normalizer.toJSON(), config.normalizer);
    normalizer.freeze();
    const { schemaHash } = this.#members[0]!.inner;
    const replicaCount = this.#environments.actionCount;
    return { config, policy: this.#policy, normalizer, schemaHash, replicaCount };
  }

  /** Ends the run and hands the policy over; only that outlives it. */
  finish(): TrainedPolicy {
    this.#trainer.dispose();
    this.#reference?.policy.dispose();
    return this.current();
  }

  /** Frees everything, the policy too. */
  dispose(): void {
    this.#trainer.dispose();
    this.#reference?.policy.dispose();
    this.#policy.dispose();
  }

  #collect(): RolloutStats {
    const options = {
      buffer: this.#buffer,
      rng: this.#actionRng,
      config: this.#scenario.config.ppo,
      rewardScaler: this.#rewardScaler,
      returnNormalizer: this.#trainer.returnNormalizer,
      watcher: this.#recorder,
      temperature: this.#temperatures.length === 0
        ? undefined
        : (n: number) => this.#nextTemperature(n),
    };
    if (this.#queue === undefined) {
      return collectRollout(this.#policy, this.#environments, options);
    }
    return collectCreditedRollout(this.#policy, this.#environments, {
      ...options,
      queue: this.#queue,
      takeCredits: (n) => {
        const credits = this.#members[n]!.inner.takeCredits();
        this.#recorder?.onCredits(n, credits);
        return credits;
      },
    });
  }

  /** Temperature of an environment's next decision; asked for once a decision. */
  #nextTemperature(n: number): number {
    const { training, reward } = this.#scenario.config;
    const { inner } = this.#members[n]!;
    const controller = this.#temperatures[n]!;
    if (this.#environments.episodeStarts[n] === 1) controller.reset();
    return controller.next(temperatureSignals(inner.decision!, inner.metrics, {
      targetThroughput: training.temperature.targetThroughput,
      targetLatencySeconds: reward.latencyThresholdSeconds,
    }));
  }

  /** Where the curriculum is; during stabilisation at its beginning. */
  #curriculum(): CurriculumPosition {
    let decisions = 0;
    for (const { inner } of this.#members) {
      decisions += Math.max(0, inner.totals.decisionCount - this.#stabilizationSteps);
    }
    return curriculumPosition(this.#scenario.config.training.curriculum, decisions);
  }

  /** A frozen policy of the same network. */
  #createReference(
    weights: NamedWeights,
    replicaLayout: StateLayout,
  ): { policy: Policy; memory: ReferencePolicy } {
    const { observationSize, actionCount, count: environmentCount } = this.#environments;
    const policy = createPolicy(
      this.#scenario.config.policy,
      { observationSize, actionCount, replicaLayout },
      new Rng(0),
    );
    try {
      policy.setWeights(weights);
    } catch (error) {
      policy.dispose();
      throw error;
    }
    return { policy, memory: new ReferencePolicy(policy, { environmentCount }) };
  }

  /** What is left to restore once everything has been created. */
  #restore({ training: state, update, score }: ResumableCheckpoint): void {
    this.#update = update;
    this.#score = score;
    this.#trainer.setState(state.trainer);
    if (state.rewardScaler !== null) this.#rewardScaler?.setState(state.rewardScaler);
    this.#buffer.hiddenStates.set(state.hiddenStates);
    if (state.reference !== undefined) {
      this.#reference!.memory.hiddenStates.set(state.reference.hiddenStates);
    }
    if (state.openDecisions !== null) this.#queue?.restore(state.openDecisions);
    this.#temperatures.forEach((controller, n) => controller.restore(state.temperatures[n]!));
  }
}

/** A stream of the run, at its beginning or where it was left. */
function openStream(rng: Rng, name: string, state: RngState | undefined): Rng {
  const stream = rng.stream(name);
  return state === undefined ? stream : Rng.restore(stream.seed, state);
}

function meanOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function standardDeviationOf(values: Float32Array): number {
  const mean = meanOf(values);
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return Math.sqrt(squares / values.length);
}
