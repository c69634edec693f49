/**
 * Reading from the block hashes of a trace which request goes on with which conversation.
 */
import { mean, quantileSorted } from "../../lib/stats/mod.ts";
import {
  type ConversationModel,
  fitLengthTable,
  type LengthTable,
  type PrefixHashes,
  tabulateTokens,
  type Workload,
} from "../../lib/workload/mod.ts";

/** A request that goes on with another one. */
interface Link {
  readonly child: number;
  readonly parent: number;
  /** Blocks that both begin with. */
  readonly sharedBlocks: number;
}

/** Blocks at the beginning of every prompt of the trace. */
const COMMON_BLOCKS = 1;
/** Share of the trace in which turns are looked for that another one follows: later ones have no time. */
const FOLLOWED_SHARE = 0.75;
/** Later turns with a share of their own. */
const LATER_TURNS = 9;
/** Ranges of prompt lengths with a distribution of their own of what the next prompt adds. */
const ADDING_RANGES = 6;
/** Blocks of which a prompt must have as many for a part of it to be told from the whole. */
const MIN_BRANCHED_BLOCKS = 4;
const FIRST_RANGES = 10;
const STEPS = 50;
/** Steps where a few large values weigh much. */
const TAIL_STEPS = 150;

/** A fit of the conversations and of the lengths of first turns. */
export function fitConversations(
  trace: Workload,
): { conversations: ConversationModel; lengths: LengthTable } {
  const { arrivalSeconds, promptTokens, outputTokens } = trace;
  const prefixes = requirePrefixes(trace);
  const links = findLinks(prefixes);
  const turns = new Int32Array(trace.count);
  const isFollowed = new Uint8Array(trace.count);
  for (const { child, parent } of links) {
    turns[child] = turns[parent]! + 1;
    isFollowed[parent] = 1;
  }
  const watched = Math.floor(FOLLOWED_SHARE * trace.count);
  const followedShare = (select: (request: number) => boolean): number => {
    const selected = indices(watched).filter(select);
    return round(mean(selected.map((i) => isFollowed[i]!)), 3);
  };
  const blocksOf = (i: number): number => prefixes.starts[i + 1]! - prefixes.starts[i]!;
  // The last block of a prompt is seldom whole, so that the next turn's differs from it.
  const branches = links.filter((link) => link.sharedBlocks < blocksOf(link.parent) - 1);
  const full = links.filter((link) => link.sharedBlocks >= blocksOf(link.parent) - 1);
  const firsts = indices(trace.count).filter((i) => turns[i] === 0);
  const edges = tabulateTokens(ascending(firsts.map((i) => promptTokens[i]!)), FIRST_RANGES);
  const addingEdges = tabulateTokens(
    ascending(full.map(({ parent }) => promptTokens[parent]!)),
    ADDING_RANGES,
  );
  const branchable = links.filter(({ parent }) => blocksOf(parent) >= MIN_BRANCHED_BLOCKS);
  const children = links.map(({ child }) => child);
  return {
    lengths: fitLengthTable(
      firsts.map((i) => promptTokens[i]!),
      firsts.map((i) => outputTokens[i]!),
      { promptSteps: 200, ranges: FIRST_RANGES, outputSteps: STEPS },
    ),
    conversations: {
      blockTokens: prefixes.blockTokens,
      commonBlocks: COMMON_BLOCKS,
      maxPromptTokens: promptTokens.reduce((most, tokens) => Math.max(most, tokens), 0),
      firstContinues: edges.slice(1).map((maxPromptTokens, range) => ({
        maxPromptTokens,
        share: followedShare((i) =>
          turns[i] === 0 && promptTokens[i]! <= maxPromptTokens &&
          (range === 0 || promptTokens[i]! > edges[range]!)
        ),
      })),
      laterContinues: Array.from(
        { length: LATER_TURNS },
        (_, later) =>
          followedShare((i) =>
            later === LATER_TURNS - 1 ? turns[i]! > later : turns[i] === later + 1
          ),
      ),
      thinkSeconds: quantiles(
        links.filter(({ parent }) => parent < watched)
          .map(({ child, parent }) => arrivalSeconds[child]! - arrivalSeconds[parent]!),
        TAIL_STEPS,
        0,
      ),
      addedTokens: addingEdges.slice(1).map((maxPromptTokens, range) => ({
        maxPromptTokens,
        quantiles: quantiles(
          full.filter(({ parent }) =>
            promptTokens[parent]! <= maxPromptTokens &&
            (range === 0 || promptTokens[parent]! > addingEdges[range]!)
          ).map(({ child, parent }) =>
            promptTokens[child]! - promptTokens[parent]! - outputTokens[parent]!
          ),
          TAIL_STEPS,
          0,
        ),
      })),
      branchShare: round(branches.length / branchable.length, 4),
      branchKeeps: quantiles(
        branches.map(({ parent, sharedBlocks }) => sharedBlocks / blocksOf(parent)),
        STEPS,
        3,
      ),
      branchTokens: tabulateTokens(
        ascending(
          branches.map(({ child, sharedBlocks }) =>
            Math.max(1, promptTokens[child]! - sharedBlocks * prefixes.blockTokens)
          ),
        ),
        STEPS,
      ),
      outputTokens: tabulateTokens(ascending(children.map((i) => outputTokens[i]!)), STEPS),
      outputLikeness: round(
        scoreCorrelation(
          links.map(({ parent }) => outputTokens[parent]!),
          children.map((i) => outputTokens[i]!),
        ),
        3,
      ),
    },
  };
}

function requirePrefixes(trace: Workload): PrefixHashes {
  if (trace.prefixHashes !== undefined) return trace.prefixHashes;
  throw new TypeError(`Cannot fit conversations: ${trace.name} must have block hashes`);
}

/** Joins every request with the latest one that has the last of the blocks it shares with any. */
function findLinks({ starts, hashes }: PrefixHashes): Link[] {
  const latest = new Map<number, number>();
  const links: Link[] = [];
  for (let child = 0; child + 1 < starts.length; child++) {
    const [start, end] = [starts[child]!, starts[child + 1]!];
    let i = start;
    while (i < end && latest.has(hashes[i]!)) i++;
    const sharedBlocks = i - start;
    if (sharedBlocks > COMMON_BLOCKS) {
      links.push({ child, parent: latest.get(hashes[i - 1]!)!, sharedBlocks });
    }
    for (i = start; i < end; i++) latest.set(hashes[i]!, child);
  }
  return links;
}

/** Correlation of normal scores from that of ranks: `2 sin(pi r / 6)`, exact for a normal pair. */
function scoreCorrelation(x: readonly number[], y: readonly number[]): number {
  const [a, b] = [ranks(x), ranks(y)];
  const centre = (x.length - 1) / 2;
  let product = 0;
  let square = 0;
  a.forEach((rank, i) => {
    product += (rank - centre) * (b[i]! - centre);
    square += (rank - centre) ** 2;
  });
  return 2 * Math.sin(Math.PI * product / square / 6);
}

/** Ranks from 0, equal values in order of appearance. */
function ranks(values: readonly number[]): number[] {
  const order = indices(values.length).sort((a, b) => values[a]! - values[b]! || a - b);
  const ranked = new Array<number>(values.length);
  order.forEach((i, rank) => ranked[i] = rank);
  return ranked;
}

function quantiles(values: readonly number[], steps: number, digits: number): number[] {
  const sorted = ascending(values);
  return Array.from(
    { length: steps + 1 },
    (_, step) => round(quantileSorted(sorted, step / steps), digits),
  );
}

function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
