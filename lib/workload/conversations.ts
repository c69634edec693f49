/**
 * Conversations whose prompts begin with what was said before.
 *
 * @module
 */
import { z } from "zod";
import type { Rng } from "../random/mod.ts";
import { normalCdf, quantileSorted } from "../stats/mod.ts";
import { redrawWithin } from "./_redraw.ts";
import { lengthsAt, type LengthTable, tokenQuantiles } from "./length_table.ts";

const share = z.number().min(0).max(1);
const ascending = (item: z.ZodNumber): z.ZodArray<z.ZodNumber> =>
  z.array(item).min(2).refine(
    (values) => values.every((value, i) => i === 0 || value >= values[i - 1]!),
    "in ascending order",
  );

/** Schema of {@linkcode ConversationModel}. */
export const conversationSchema = z.strictObject({
  blockTokens: z.number().int().positive().describe("Tokens of a hashed block"),
  commonBlocks: z.number().int().nonnegative().describe("Blocks that all prompts begin with"),
  maxPromptTokens: z.number().int().positive().describe(
    "A conversation whose next prompt would be longer ends",
  ),
  firstContinues: z.array(z.strictObject({
    maxPromptTokens: z.number().int().positive(),
    share,
  })).min(1).describe("Share of the first turns that another one follows, by prompt length"),
  laterContinues: z.array(share).min(1).describe(
    "The same for the second turn, the third and so on; the last one holds beyond",
  ),
  thinkSeconds: ascending(z.number().nonnegative()).describe(
    "Quantiles of the time from a turn's arrival to the next one's",
  ),
  addedTokens: z.array(z.strictObject({
    maxPromptTokens: z.number().int().positive(),
    quantiles: ascending(z.number().int()),
  })).min(1).describe(
    "Quantiles of what a prompt adds to the prompt and output before it, by that prompt's length",
  ),
  branchShare: share.describe(
    "Share of the next turns of prompts of some blocks that keep only a part of the prompt",
  ),
  branchKeeps: ascending(z.number().min(0).max(1)).describe("Quantiles of that part, in blocks"),
  branchTokens: tokenQuantiles.describe("Quantiles of the tokens that follow it"),
  outputTokens: tokenQuantiles.describe("Quantiles of the output of all turns but the first"),
  outputLikeness: z.number().min(0).lt(1).describe(
    "Correlation of the normal scores of a turn's output and the next one's",
  ),
});

/**
 * How requests follow one another. All quantiles are at equally spaced levels from 0 to 1, linear in
 * between. First turns are drawn from a table of lengths; a further turn's prompt is the prompt and
 * the output before it and something new, so that it shares the whole blocks of the prompt before.
 */
export type ConversationModel = z.infer<typeof conversationSchema>;

/** Hashes of a prompt's blocks. */
export interface PromptBlocks {
  /** Tokens a block. */
  readonly blockTokens: number;
  /** `[ceil(promptTokens / blockTokens)]`. */
  readonly hashes: readonly number[];
}

/** Prompt and output tokens, each >= 1, and what the prompt begins with. */
export type ConversationTurn = [promptTokens: number, outputTokens: number, blocks: PromptBlocks];

/** What of a turn the next one depends on. */
interface Turn {
  readonly index: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Normal score of the output's length. */
  readonly outputScore: number;
  readonly hashes: readonly number[];
}

/** Whole blocks that a prompt must have for a next turn to keep only a part that can be told. */
const MIN_BRANCHED_BLOCKS = 3;

/** The range of prompt lengths that a prompt is in; the last one holds beyond. */
function rangeOf<Range extends { readonly maxPromptTokens: number }>(
  ranges: readonly Range[],
  promptTokens: number,
): Range {
  return ranges.find((range) => promptTokens <= range.maxPromptTokens) ??
    ranges[ranges.length - 1]!;
}

function totalTokens({ promptTokens, outputTokens }: Omit<Turn, "hashes">): number {
  return promptTokens + outputTokens;
}

/** A turn that is to be followed. */
interface Waiting {
  readonly dueSeconds: number;
  readonly turn: Turn;
}

/**
 * Says what arrives at given times. An arrival is the next turn of the conversation that is overdue
 * longest or, if none is due, the first turn of a new one: arrivals stay those of their process, and
 * turns come at most a few arrivals late. At time 0 nothing has been said, as in a trace, which does
 * not know what was before it either.
 *
 * @param model How conversations go on.
 * @param lengths Lengths of first turns.
 * @param rng Random numbers.
 * @param maxTokens Largest sum of prompt and output: a longer first turn is redrawn, a conversation
 *   with a longer further turn ends.
 * @returns Called with non-decreasing seconds.
 */
export function createConversations(
  model: ConversationModel,
  lengths: LengthTable,
  rng: Rng,
  maxTokens = Infinity,
): (seconds: number) => ConversationTurn {
  /** Latest first, so that the next one due is popped. */
  const waiting: Waiting[] = [];
  const { blockTokens, commonBlocks, outputLikeness } = model;
  let nextHash = commonBlocks;
  const draw = (quantiles: readonly number[]): number => quantileSorted(quantiles, rng.uniform());

  const hashPrompt = (promptTokens: number, kept: readonly number[]): readonly number[] => {
    const blocks = Math.ceil(promptTokens / blockTokens);
    const hashes = kept.slice(0, blocks);
    for (let i = hashes.length; i < blocks; i++) hashes.push(i < commonBlocks ? i : nextHash++);
    return hashes;
  };

  const drawFirst = (): Omit<Turn, "hashes"> => {
    const outputScore = rng.normal();
    const [promptTokens, outputTokens] = lengthsAt(lengths, rng.uniform(), normalCdf(outputScore));
    return { index: 0, promptTokens, outputTokens, outputScore };
  };

  const begin = (): Turn => {
    const first = redrawWithin(drawFirst, totalTokens, maxTokens);
    return { ...first, hashes: hashPrompt(first.promptTokens, []) };
  };

  const follow = (turn: Turn): Turn => {
    const outputScore = outputLikeness * turn.outputScore +
      Math.sqrt(1 - outputLikeness ** 2) * rng.normal();
    const outputTokens = Math.round(quantileSorted(model.outputTokens, normalCdf(outputScore)));
    const wholeBlocks = Math.floor(turn.promptTokens / blockTokens);
    let keptBlocks = wholeBlocks;
    let promptTokens: number;
    if (wholeBlocks >= MIN_BRANCHED_BLOCKS && rng.uniform() < model.branchShare) {
      const keeps = Math.round(draw(model.branchKeeps) * turn.hashes.length);
      keptBlocks = Math.min(wholeBlocks, Math.max(commonBlocks + 1, keeps));
      promptTokens = keptBlocks * blockTokens + Math.round(draw(model.branchTokens));
    } else {
      const added = Math.round(draw(rangeOf(model.addedTokens, turn.promptTokens).quantiles));
      // What every prompt begins with is never left out.
      const shortest = lengths.promptTokens[0]!;
      promptTokens = Math.max(shortest, turn.promptTokens + turn.outputTokens + added);
      keptBlocks = Math.min(keptBlocks, Math.floor(promptTokens / blockTokens));
    }
    const hashes = hashPrompt(promptTokens, turn.hashes.slice(0, keptBlocks));
    return { index: turn.index + 1, promptTokens, outputTokens, outputScore, hashes };
  };

  const isContinued = ({ index, promptTokens }: Turn): boolean => {
    const { firstContinues, laterContinues } = model;
    const later = laterContinues[Math.min(index, laterContinues.length) - 1];
    return rng.uniform() < (later ?? rangeOf(firstContinues, promptTokens).share);
  };

  /** Puts a turn among those that wait; there are as many as arrive while somebody thinks. */
  const wait = (turn: Turn, dueSeconds: number): void => {
    let low = 0;
    let high = waiting.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (waiting[middle]!.dueSeconds > dueSeconds) low = middle + 1;
      else high = middle;
    }
    waiting.splice(low, 0, { dueSeconds, turn });
  };

  const nextDue = (seconds: number): Turn | undefined => {
    while (waiting.length > 0 && waiting[waiting.length - 1]!.dueSeconds <= seconds) {
      const turn = follow(waiting.pop()!.turn);
      if (turn.promptTokens <= model.maxPromptTokens && totalTokens(turn) <= maxTokens) return turn;
    }
    return undefined;
  };

  return (seconds) => {
    const turn = nextDue(seconds) ?? begin();
    if (isContinued(turn)) wait(turn, seconds + draw(model.thinkSeconds));
    return [turn.promptTokens, turn.outputTokens, { blockTokens, hashes: turn.hashes }];
  };
}
