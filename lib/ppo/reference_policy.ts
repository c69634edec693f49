/**
 * The policy that training must not stray from.
 *
 * @module
 */
import type { Policy } from "../policy/mod.ts";
import type { RolloutBuffer } from "./rollout_buffer.ts";

/**
 * A frozen policy that is asked what it would have done at the decisions of every rollout. A
 * recurrent one remembers what it has seen in hidden states of its own, carried from rollout to
 * rollout: those of the policy in training mean something else as soon as its weights move.
 *
 * Source: spec/scheduler.md sections 10 and 12 (the reference is a copy of the policy that the run
 * begins with).
 */
export class ReferencePolicy {
  /** `[N, S]`, hidden states before the next rollout; written to when a run is resumed. */
  readonly hiddenStates: Float32Array;
  readonly #policy: Policy;

  /**
   * A reference before its first rollout.
   *
   * @param policy Its weights must not change; not owned.
   */
  constructor(policy: Policy, { environmentCount }: { readonly environmentCount: number }) {
    this.#policy = policy;
    this.hiddenStates = policy.initialHiddenStates(environmentCount);
  }

  /**
   * The reference's distributions at all decisions of a rollout, under the temperatures and masks
   * that were in force. To be called once a rollout.
   *
   * @param buffer A full buffer.
   * @returns `[T, N, A]`.
   * @throws {RangeError} When the buffer is not full or its sizes do not fit.
   */
  logProbabilities(buffer: RolloutBuffer): Float32Array {
    if (!buffer.isFull) {
      throw new RangeError(
        "Cannot ask the reference policy: buffer must be full, current stepCount is " +
          buffer.stepCount,
      );
    }
    const { rolloutLength, environmentCount, observationSize, actionCount } = buffer.shape;
    const decisionCount = rolloutLength * environmentCount;
    // Without a memory, all decisions are independent and go through the network at once.
    const rows = this.#policy.hiddenStateSize === 0 ? decisionCount : environmentCount;
    const result = new Float32Array(decisionCount * actionCount);
    for (let row = 0; row < decisionCount; row += rows) {
      const of = <Values extends Float32Array | Uint8Array>(values: Values, width: number) =>
        values.subarray(row * width, (row + rows) * width) as Values;
      const { logProbabilities, hiddenStates } = this.#policy.act(
        of(buffer.observations, observationSize),
        {
          sampler: "greedy",
          hiddenStates: this.hiddenStates,
          episodeStarts: of(buffer.episodeStarts, 1),
          actionMasks: of(buffer.actionMasks, actionCount),
          temperatures: of(buffer.temperatures, 1),
        },
      );
      this.hiddenStates.set(hiddenStates);
      result.set(logProbabilities, row * actionCount);
    }
    return result;
  }
}
