/**
 * The training loop.
 *
 * @module
 */
import type { ExperimentConfig } from "../config/mod.ts";
import type { RolloutBuffer } from "../ppo/mod.ts";
import type { Rng } from "../random/mod.ts";
import { UsageError } from "../support/mod.ts";
import { firstDifference } from "./_first_difference.ts";
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { type RetentionOptions, saveCheckpoint } from "./checkpoint/checkpoint_folder.ts";
import type { DecisionRecord } from "./decision_record.ts";
import { loadInitialPolicy } from "./initial_policy.ts";
import { PolicySelection, type ValidationRecord } from "./policy_selection.ts";
import type { Scenario } from "./scenario.ts";
import type { TrainedPolicy } from "./trained_policy.ts";
import { type ResumableCheckpoint, TrainingRun } from "./training_run.ts";
import type { UpdateRecord } from "./update_record.ts";

/** Where and when a run is saved. */
export interface CheckpointOptions extends RetentionOptions {
  /** Folder of the checkpoints; created if need be. */
  readonly folder: string;
  /** Updates from one checkpoint to the next, >= 1; the last update is always saved. */
  readonly everyUpdates: number;
}

/** How to train. */
export interface TrainOptions {
  /** Source of everything random; only its streams are used. */
  readonly rng: Rng;
  /**
   * Called after every update, with the rollout that it learnt from, which the next one overwrites.
   * Training goes on when it has returned and what it returns has resolved.
   */
  readonly onUpdate?: (record: UpdateRecord, rollout: RolloutBuffer) => unknown;
  /** Called after every validation (`training.validation`), after the update's `onUpdate`. */
  readonly onValidation?: (record: ValidationRecord) => void;
  /** Told of every single decision, before the update that it belongs to. */
  readonly onDecision?: ((record: DecisionRecord) => void) | undefined;
  /** Checked between updates. When it fires, the run is saved first, if it is to be saved at all. */
  readonly signal?: AbortSignal | undefined;
  /** Saves the run now and then; never when left out. */
  readonly checkpoints?: CheckpointOptions | undefined;
  /**
   * A checkpoint of the same experiment to go on from, exactly as if there had been no stop. The run
   * may be made longer than planned; schedules then follow the new length.
   */
  readonly resume?: Checkpoint | undefined;
}

/**
 * Trains a policy in a scenario with PPO: parallel simulations with arrivals of their own, a phase
 * of random actions that feeds the normaliser, then rollouts and updates until the configured
 * number of decisions is reached. With `training.initialPolicy`, the run begins with that policy
 * and its normaliser instead and is held near it.
 *
 * @returns The policy after the last update, or the best in validation if `training.validation` asks
 *   for it; its normaliser is frozen.
 * @throws {CheckpointError} When the policy to begin with cannot be read or does not fit.
 * @throws {UsageError} When the checkpoint to resume is of another experiment, has no training
 *   state, or lies beyond the end of the run.
 * @throws The signal's reason when it fires.
 */
export async function trainPolicy(
  scenario: Scenario,
  options: TrainOptions,
): Promise<TrainedPolicy> {
  const { rng, onUpdate, onValidation, onDecision, signal, checkpoints, resume } = options;
  const updateCount = countUpdates(scenario);
  const run = resume === undefined
    ? new TrainingRun(scenario, rng, await loadInitialPolicy(scenario), { onDecision })
    : new TrainingRun(scenario, rng, checkResume(scenario, rng, resume, updateCount), {
      onDecision,
    });
  const selection = await PolicySelection.open(scenario, resume?.training?.selected);
  let savedUpdate = run.updatesDone;

  async function save(): Promise<void> {
    if (checkpoints === undefined || savedUpdate === run.updatesDone) return;
    const saved = run.save();
    const training = { ...saved.training!, selected: selection?.selected };
    await saveCheckpoint(checkpoints.folder, { ...saved, training }, checkpoints);
    savedUpdate = run.updatesDone;
  }
  try {
    while (run.updatesDone < updateCount) {
      await letOthersRun();
      if (signal?.aborted) await save();
      signal?.throwIfAborted();
      const record = run.update(updateCount);
      await onUpdate?.(record, run.rollout);
      if (selection?.isDue(record)) {
        onValidation?.(await selection.consider(run.current(), record));
      }
      if (checkpoints !== undefined && run.updatesDone % checkpoints.everyUpdates === 0) {
        await save();
      }
    }
    await save();
  } catch (error) {
    run.dispose();
    throw error;
  }
  const trained = run.finish();
  return selection === undefined ? trained : selection.choose(trained);
}

/** Updates that the configured number of decisions makes, the last rollout whole. */
export function countUpdates({ config }: Pick<Scenario, "config">): number {
  const { environments, decisions } = config.training;
  return Math.ceil(decisions / (environments * config.ppo.rolloutLength));
}

/** The checkpoint to go on from, refused unless it is of the same experiment. */
function checkResume(
  scenario: Scenario,
  rng: Rng,
  checkpoint: Checkpoint,
  updateCount: number,
): ResumableCheckpoint {
  const { training, update } = checkpoint;
  if (training === null) {
    throw new UsageError("Cannot resume: the checkpoint holds a policy, but no training state");
  }
  const difference = firstDifference(
    whatDecides(scenario.config),
    whatDecides(checkpoint.config),
  );
  if (difference !== undefined) {
    const [path, current, saved] = difference;
    throw new UsageError(
      `Cannot resume: ${path} must be ${saved}, as in the checkpoint, current value is ${current}`,
    );
  }
  if (rng.seed !== training.seed) {
    throw new UsageError(
      `Cannot resume: rng.seed must be ${training.seed}, as in the checkpoint, current value is ${rng.seed}`,
    );
  }
  if (update > updateCount) {
    throw new UsageError(
      `Cannot resume: the run must have at least ${update} updates, as in the checkpoint, current value is ${updateCount}`,
    );
  }
  return { ...checkpoint, training };
}

/** The configuration without what may change: how long to train, how the policy is judged. */
function whatDecides(config: ExperimentConfig): unknown {
  return { ...config, evaluation: null, training: { ...config.training, decisions: null } };
}

/** Gives timers, signals and messages a turn between two updates. */
function letOthersRun(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
