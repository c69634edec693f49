/**
 * Episodes as the sequences that a policy is trained on.
 *
 * @module
 */
import type { Policy, SequenceBatch } from "../policy/mod.ts";

/** Decisions that are run through a feed-forward policy side by side have this many successors. */
const FEED_FORWARD_PIECE = 32;

/** Consecutive decisions of one episode. */
export interface Sequence {
  /** First row. */
  readonly begin: number;
  /** Rows, at most the length of a training sequence. */
  readonly length: number;
  /** Whether an episode begins with it. */
  readonly isStart: boolean;
}

/** What a policy sees; R decisions. */
export interface PolicyInputs {
  /** `[R, D]`, normalised. */
  readonly observations: Float32Array;
  /** `[R, A]`, 1 = allowed. */
  readonly actionMasks: Uint8Array;
}

/** What a policy would do. */
export interface PolicyAnswers {
  /** `[R]`, the most probable actions; 0 for rows that were not asked about. */
  readonly actions: Int32Array;
  /** `[R, A]`, 0 for rows that were not asked about. */
  readonly logProbabilities: Float32Array;
  /** `[sequences, S]`, hidden states before each sequence. */
  readonly hiddenStates: Float32Array;
}

/** Cuts ranges of rows into sequences of `sequenceLength`, the last of a range perhaps shorter. */
export function cutSequences(
  ranges: readonly Omit<Sequence, "isStart">[],
  sequenceLength: number,
): Sequence[] {
  return ranges.flatMap(({ begin, length }) =>
    Array.from({ length: Math.ceil(length / sequenceLength) }, (_, i) => ({
      begin: begin + i * sequenceLength,
      length: Math.min(sequenceLength, length - i * sequenceLength),
      isStart: i === 0,
    }))
  );
}

/**
 * Runs a policy greedily through episodes, all of them side by side.
 *
 * @param episodes Rows of each episode.
 * @param sequenceLength Where hidden states are noted: see {@linkcode cutSequences}.
 */
export function answer(
  policy: Policy,
  { observations, actionMasks }: PolicyInputs,
  { episodes, sequenceLength }: {
    readonly episodes: readonly Omit<Sequence, "isStart">[];
    readonly sequenceLength: number;
  },
): PolicyAnswers {
  const { observationSize, actionCount, hiddenStateSize } = policy;
  // Without a memory, an episode may be cut into pieces that run side by side.
  const lanes = hiddenStateSize > 0 ? episodes : cutSequences(episodes, FEED_FORWARD_PIECE);
  const noted = hiddenStateSize > 0 ? cutSequences(episodes, sequenceLength) : [];
  const firstNoted = new Map<number, number>(noted.map(({ begin }, i) => [begin, i]));
  const rows = observations.length / observationSize;
  const actions = new Int32Array(rows);
  const logProbabilities = new Float32Array(rows * actionCount);
  const notedStates = new Float32Array(noted.length * hiddenStateSize);
  const laneObservations = new Float32Array(lanes.length * observationSize);
  const laneMasks = new Uint8Array(lanes.length * actionCount);
  let hiddenStates = policy.initialHiddenStates(lanes.length);
  const longest = lanes.reduce((most, { length }) => Math.max(most, length), 0);
  for (let t = 0; t < longest; t++) {
    lanes.forEach(({ begin, length }, lane) => {
      const row = Math.min(begin + t, begin + length - 1); // a lane that has ended idles
      const observation = observations.subarray(row * observationSize, (row + 1) * observationSize);
      laneObservations.set(observation, lane * observationSize);
      laneMasks.set(
        actionMasks.subarray(row * actionCount, (row + 1) * actionCount),
        lane * actionCount,
      );
      const slot = t < length ? firstNoted.get(begin + t) : undefined;
      if (slot === undefined) return;
      const state = hiddenStates.subarray(lane * hiddenStateSize, (lane + 1) * hiddenStateSize);
      notedStates.set(state, slot * hiddenStateSize);
    });
    const decision = policy.act(laneObservations, {
      sampler: "greedy",
      hiddenStates,
      actionMasks: laneMasks,
    });
    hiddenStates = decision.hiddenStates;
    lanes.forEach(({ begin, length }, lane) => {
      if (t >= length) return;
      actions[begin + t] = decision.actions[lane]!;
      logProbabilities.set(
        decision.logProbabilities.subarray(lane * actionCount, (lane + 1) * actionCount),
        (begin + t) * actionCount,
      );
    });
  }
  return { actions, logProbabilities, hiddenStates: notedStates };
}

/**
 * Some sequences as a time-major batch. Shorter ones are filled up with their last decision.
 *
 * @param chosen Which of `sequences`.
 * @param hiddenStates `[sequences, S]`, before each sequence.
 * @returns The batch, and `[L * B]` rows of its decisions, -1 where it is filled up.
 */
export function gatherBatch(
  policy: Policy,
  { observations, actionMasks }: PolicyInputs,
  { sequences, chosen, sequenceLength, hiddenStates, actions }: {
    readonly sequences: readonly Sequence[];
    readonly chosen: ArrayLike<number>;
    readonly sequenceLength: number;
    readonly hiddenStates: Float32Array;
    readonly actions: Int32Array;
  },
): { readonly batch: SequenceBatch; readonly rows: Int32Array } {
  const { observationSize: width, actionCount, hiddenStateSize } = policy;
  const sequenceCount = chosen.length;
  const count = sequenceLength * sequenceCount;
  const rows = new Int32Array(count).fill(-1);
  const batch = {
    sequenceLength,
    sequenceCount,
    observations: new Float32Array(count * width),
    hiddenStates: new Float32Array(sequenceCount * hiddenStateSize),
    episodeStarts: new Uint8Array(count),
    actions: new Int32Array(count),
    temperatures: new Float32Array(count).fill(1),
    actionMasks: new Uint8Array(count * actionCount),
  };
  for (let b = 0; b < sequenceCount; b++) {
    const index = chosen[b]!;
    const { begin, length, isStart } = sequences[index]!;
    const state = hiddenStates.subarray(index * hiddenStateSize, (index + 1) * hiddenStateSize);
    batch.hiddenStates.set(state, b * hiddenStateSize);
    if (isStart) batch.episodeStarts[b] = 1;
    for (let t = 0; t < sequenceLength; t++) {
      const row = begin + Math.min(t, length - 1);
      const target = t * sequenceCount + b;
      if (t < length) rows[target] = row;
      batch.observations.set(observations.subarray(row * width, (row + 1) * width), target * width);
      batch.actionMasks.set(
        actionMasks.subarray(row * actionCount, (row + 1) * actionCount),
        target * actionCount,
      );
      batch.actions[target] = actions[row]!;
    }
  }
  return { batch, rows };
}
