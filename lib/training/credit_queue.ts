/**
 * Decisions that wait for their rewards.
 *
 * @module
 */
import type { RolloutStep } from "../ppo/mod.ts";

/** Where the life of a queue begins. */
export interface CreditQueueOptions {
  /** `[N]`, decisions that each environment had taken before; their credits are ignored. */
  readonly firstDecisions: ArrayLike<number>;
  /** Floats S of the policy's hidden state. */
  readonly hiddenStateSize: number;
}

/** One step of all environments, some of whose decisions have not been handed on. */
interface OpenStep {
  /** What was decided. */
  readonly step: RolloutStep;
  /** `[N]`, NaN where open. */
  readonly rewards: Float64Array;
  /** How many decisions have not been handed on. */
  heldCount: number;
}

/** What a {@linkcode CreditQueue} holds, for checkpoints. */
export interface CreditQueueState {
  /** `[N]`, decisions that each environment had taken before. */
  readonly firstDecisions: Float64Array;
  /** `[N, S]`, hidden states before the next step. */
  readonly hiddenStates: Float32Array;
  /** Steps handed on whole and dropped. */
  readonly droppedCount: number;
  /** The steps after those, oldest first. */
  readonly steps: readonly Readonly<OpenStep>[];
  /** Steps of each environment whose reward is known, in the order in which they are handed on. */
  readonly ready: readonly (readonly number[])[];
  /** Of each environment the first step that is not among them (recurrent policies). */
  readonly next: readonly number[];
}

/** One decision of every environment with its reward; arrays belong to the receiver. */
export interface CreditedStep {
  /** What was decided. */
  readonly step: RolloutStep;
  /** `[N]`. */
  readonly rewards: Float64Array;
}

/**
 * Holds decisions of N environments until their rewards are known. For rewards that come when a
 * request completes, many decisions after the one that routed it: a decision reaches the rollout
 * buffer late, with the log-probabilities and the value of the policy that took it.
 *
 * Decisions of an environment are handed on in the order in which their rewards came, so that a
 * slow request holds up nobody; or, for a recurrent policy, which is trained on sequences, in the
 * order in which they were taken. Source: spec/scheduler.md appendix A1 ("the buffer keeps
 * decisions open until then; a rollout is closed by count of closed decisions").
 */
export class CreditQueue {
  /** `[N, S]`, hidden states before the next step to be taken. */
  readonly hiddenStates: Float32Array;
  readonly #firstDecisions: Float64Array;
  readonly #keepsOrder: boolean;
  readonly #steps: OpenStep[] = [];
  #droppedCount = 0;
  #ready: number[][];
  #next: number[];

  /** An empty queue. */
  constructor({ firstDecisions, hiddenStateSize }: CreditQueueOptions) {
    this.#firstDecisions = Float64Array.from(firstDecisions);
    this.hiddenStates = new Float32Array(firstDecisions.length * hiddenStateSize);
    this.#keepsOrder = hiddenStateSize > 0;
    this.#ready = Array.from(firstDecisions, () => []);
    this.#next = Array.from(firstDecisions, () => 0);
  }

  /** Decisions that have not been handed on, over all environments. */
  get heldCount(): number {
    return this.#steps.reduce((sum, { heldCount }) => sum + heldCount, 0);
  }

  /** Whether every environment has a decision to hand on. */
  get isReady(): boolean {
    return this.#ready.every((steps) => steps.length > 0);
  }

  /**
   * Appends a step whose rewards are all open.
   *
   * @param step Kept, not copied.
   */
  push(step: RolloutStep): void {
    const environmentCount = this.#firstDecisions.length;
    const rewards = new Float64Array(environmentCount).fill(NaN);
    this.#steps.push({ step, rewards, heldCount: environmentCount });
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
    const open = this.#steps[taken - this.#droppedCount];
    if (open === undefined || !Number.isNaN(open.rewards[environmentIndex])) {
      throw new RangeError(
        "Cannot credit a decision: decisionIndex must be one that waits for its reward, current " +
          `value is ${decisionIndex}`,
      );
    }
    open.rewards[environmentIndex] = reward;
    if (this.#keepsOrder) this.#readyInOrder(environmentIndex);
    else this.#ready[environmentIndex]!.push(taken);
  }

  /**
   * Hands on one decision of every environment.
   *
   * @throws {RangeError} When an environment has none whose reward is known.
   */
  take(): CreditedStep {
    if (!this.isReady) {
      throw new RangeError(
        "Cannot hand on a step: isReady must be true, current value is false",
      );
    }
    const chosen = this.#ready.map((steps) => this.#steps[steps.shift()! - this.#droppedCount]!);
    for (const open of chosen) open.heldCount--;
    while (this.#steps[0]?.heldCount === 0) {
      this.#steps.shift();
      this.#droppedCount++;
    }
    return {
      step: gatherRows(chosen.map(({ step }) => step)),
      rewards: Float64Array.from(chosen, ({ rewards }, n) => rewards[n]!),
    };
  }

  /** A copy of everything that waits. */
  toJSON(): CreditQueueState {
    return structuredClone({
      firstDecisions: this.#firstDecisions,
      hiddenStates: this.hiddenStates,
      droppedCount: this.#droppedCount,
      steps: this.#steps,
      ready: this.#ready,
      next: this.#next,
    });
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
    this.#droppedCount = state.droppedCount;
    this.#steps.splice(0, this.#steps.length, ...state.steps);
    this.#ready = state.ready.map((steps) => [...steps]);
    this.#next = [...state.next];
  }

  /** Releases an environment's decisions up to the first whose reward is open. */
  #readyInOrder(n: number): void {
    for (;;) {
      const next = this.#next[n]!;
      const reward = this.#steps[next - this.#droppedCount]?.rewards[n];
      if (reward === undefined || Number.isNaN(reward)) return;
      this.#ready[n]!.push(next);
      this.#next[n]!++;
    }
  }
}

/** A step made of row `n` of the `n`-th step, for every `n`. */
function gatherRows(steps: readonly RolloutStep[]): RolloutStep {
  const of = <T extends Float32Array | Uint8Array | Int32Array>(
    pick: (step: RolloutStep) => T,
  ): T => {
    const first = pick(steps[0]!);
    const width = first.length / steps.length;
    const rows = first.slice() as T;
    steps.forEach((step, n) =>
      rows.set(pick(step).subarray(n * width, (n + 1) * width), n * width)
    );
    return rows;
  };
  return {
    observations: of((step) => step.observations),
    episodeStarts: of((step) => step.episodeStarts),
    actionMasks: of((step) => step.actionMasks),
    temperatures: of((step) => step.temperatures),
    decision: {
      actions: of((step) => step.decision.actions),
      logProbs: of((step) => step.decision.logProbs),
      logProbabilities: of((step) => step.decision.logProbabilities),
      logits: of((step) => step.decision.logits),
      values: of((step) => step.decision.values),
      hiddenStates: of((step) => step.decision.hiddenStates),
    },
  };
}
