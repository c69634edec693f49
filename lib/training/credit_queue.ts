/**
 * Decisions that wait for their rewards.
 *
 * @module
 */
import type { RolloutBuffer, RolloutOutcome, RolloutStep } from "../ppo/mod.ts";

/** Where the life of a queue begins. */
export interface CreditQueueOptions {
  /** `[N]`, decisions that each environment had taken before; their credits are ignored. */
  readonly firstDecisions: ArrayLike<number>;
  /** Floats S of the policy's hidden state. */
  readonly hiddenStateSize: number;
}

/** One step of all environments, some of whose rewards are still open. */
export interface OpenStep {
  /** What was seen and done. */
  readonly step: RolloutStep;
  /** What it led to. */
  readonly outcome: Omit<RolloutOutcome, "rewards">;
  /** `[N]`, NaN where open. */
  readonly rewards: Float64Array;
  /** How many are open. */
  openCount: number;
}

/** What a {@linkcode CreditQueue} holds, for checkpoints; arrays are the queue's own. */
export interface CreditQueueState {
  /** `[N]`, decisions that each environment had taken before. */
  readonly firstDecisions: Float64Array;
  /** Steps handed on so far. */
  readonly shiftedCount: number;
  /** `[N, S]`, hidden states before the next step. */
  readonly hiddenStates: Float32Array;
  /** Steps that wait, oldest first. */
  readonly steps: readonly Readonly<OpenStep>[];
}

/**
 * Holds steps of N environments until the reward of every decision in them is known, and hands them
 * on in the order in which they were taken. For rewards that come when a request completes, many
 * decisions after the one that routed it: a step reaches the rollout buffer late but whole, with
 * the log-probabilities and values of the policy that took it.
 *
 * Source: spec/scheduler.md appendix A1 ("the buffer keeps decisions open until then; a rollout is
 * closed by count of closed decisions").
 */
export class CreditQueue {
  /** `[N, S]`, hidden states before the next step to be taken. */
  readonly hiddenStates: Float32Array;
  readonly #firstDecisions: Float64Array;
  readonly #steps: OpenStep[] = [];
  #shiftedCount = 0;

  /** An empty queue. */
  constructor({ firstDecisions, hiddenStateSize }: CreditQueueOptions) {
    this.#firstDecisions = Float64Array.from(firstDecisions);
    this.hiddenStates = new Float32Array(firstDecisions.length * hiddenStateSize);
  }

  /** Steps taken whose rewards are not handed on yet. */
  get length(): number {
    return this.#steps.length;
  }

  /** Whether the oldest step has all its rewards. */
  get isReady(): boolean {
    return this.#steps[0]?.openCount === 0;
  }

  /** `[N]`, the policy's values of the oldest step; `undefined` when there is none. */
  get oldestValues(): Float32Array | undefined {
    return this.#steps[0]?.step.decision.values;
  }

  /** `[N]`, rewards of the oldest step, NaN where open; `undefined` when there is none. */
  get oldestRewards(): Float64Array | undefined {
    return this.#steps[0]?.rewards;
  }

  /**
   * Appends a step whose rewards are all open.
   *
   * @param step Kept, not copied.
   * @param outcome Copied.
   */
  push(step: RolloutStep, outcome: Omit<RolloutOutcome, "rewards">): void {
    const environmentCount = this.#firstDecisions.length;
    this.#steps.push({
      step,
      outcome: {
        terminated: Uint8Array.from(outcome.terminated),
        truncated: Uint8Array.from(outcome.truncated),
        truncationValues: Float32Array.from(outcome.truncationValues),
        discounts: Float64Array.from(outcome.discounts),
      },
      rewards: new Float64Array(environmentCount).fill(NaN),
      openCount: environmentCount,
    });
    this.hiddenStates.set(step.decision.hiddenStates);
  }

  /**
   * Pays the reward of one decision.
   *
   * @param decisionIndex Which decision of the environment's life, from 0.
   * @throws {RangeError} When the decision has not been taken or was paid for already.
   */
  credit(environmentIndex: number, decisionIndex: number, reward: number): void {
    const taken = decisionIndex - this.#firstDecisions[environmentIndex]!;
    if (taken < 0) return;
    const open = this.#steps[taken - this.#shiftedCount];
    if (open === undefined || !Number.isNaN(open.rewards[environmentIndex])) {
      throw new RangeError(
        "Cannot credit a decision: decisionIndex must be one that waits for its reward, current " +
          `value is ${decisionIndex}`,
      );
    }
    open.rewards[environmentIndex] = reward;
    open.openCount--;
  }

  /**
   * Moves the oldest step into a buffer.
   *
   * @param rewards `[N]`, what to store as its rewards, e.g. `oldestRewards` scaled.
   * @throws {RangeError} When a reward is still open or the buffer is full.
   */
  shiftInto(buffer: RolloutBuffer, rewards: ArrayLike<number>): void {
    const [oldest] = this.#steps;
    if (oldest === undefined || oldest.openCount > 0) {
      throw new RangeError(
        `Cannot hand on a step: the rewards still open must be 0, current value is ` +
          (oldest?.openCount ?? "no step"),
      );
    }
    buffer.addDecision(oldest.step);
    buffer.addOutcome({ ...oldest.outcome, rewards });
    this.#steps.shift();
    this.#shiftedCount++;
  }

  /** Everything that waits, to be written before the queue is used again. */
  toJSON(): CreditQueueState {
    return {
      firstDecisions: this.#firstDecisions,
      shiftedCount: this.#shiftedCount,
      hiddenStates: this.hiddenStates,
      steps: this.#steps,
    };
  }

  /**
   * Continues exactly where `state` was taken; takes it over.
   *
   * @throws {RangeError} When it is of another number of environments or hidden state.
   */
  restore(state: CreditQueueState): void {
    const { firstDecisions, hiddenStates } = state;
    if (
      firstDecisions.length !== this.#firstDecisions.length ||
      hiddenStates.length !== this.hiddenStates.length
    ) {
      throw new RangeError(
        "Cannot restore a credit queue: it must have " +
          `${this.#firstDecisions.length} environments and ${this.hiddenStates.length} numbers of ` +
          `hidden state, current value is ${firstDecisions.length} and ${hiddenStates.length}`,
      );
    }
    this.#firstDecisions.set(firstDecisions);
    this.hiddenStates.set(hiddenStates);
    this.#shiftedCount = state.shiftedCount;
    this.#steps.splice(0, this.#steps.length, ...state.steps);
  }
}
