/**
 * Free KV blocks in the order in which they will be used again.
 *
 * @module
 */

/** Blocks that were freed together; those of a preempted request are `owner`'s first ones. */
interface Segment {
  /** Request whose tokens the blocks still hold, -1 for nobody's. */
  owner: number;
  /** Blocks, > 0. */
  blocks: number;
  /** Leading blocks that are full, hence can be found again, <= `blocks`. */
  fullBlocks: number;
  previous: Segment | undefined;
  next: Segment | undefined;
}

const NOBODY = -1;

/**
 * Queue of free blocks, the longest free at the front. A block keeps its contents until it is taken,
 * so that a preempted request may find the beginning of its tokens again: its blocks are freed last
 * to first, and what is left of them is always a prefix.
 *
 * Source: vLLM 0.19 `v1/core/block_pool.py`, without sharing between requests. Neighbouring blocks
 * are one segment, so that an operation costs O(segments it touches).
 */
export class FreeBlocks {
  /** Free blocks. */
  count = 0;
  readonly #segments = new Map<number, Segment>();
  #head: Segment | undefined;
  #tail: Segment | undefined;

  /** @param blocks Blocks that are free at first, all empty. */
  constructor(blocks: number) {
    this.add(blocks);
  }

  /** Frees blocks that nobody will look for. */
  add(blocks: number): void {
    if (blocks === 0) return;
    this.count += blocks;
    if (this.#tail?.owner === NOBODY) this.#tail.blocks += blocks;
    else this.#append(NOBODY, blocks, 0);
  }

  /** Frees the blocks of a preempted request, the first `fullBlocks` of which are full. */
  addOf(owner: number, blocks: number, fullBlocks: number): void {
    if (fullBlocks === 0) {
      this.add(blocks);
      return;
    }
    this.count += blocks;
    this.#segments.set(owner, this.#append(owner, blocks, fullBlocks));
  }

  /** Full blocks that a request would find again. */
  fullBlocksOf(owner: number): number {
    return this.#segments.get(owner)?.fullBlocks ?? 0;
  }

  /** Gives a request the full blocks back that it finds. */
  reclaim(owner: number): void {
    const segment = this.#segments.get(owner);
    if (segment === undefined) return;
    this.#segments.delete(owner);
    segment.owner = NOBODY;
    this.count -= segment.fullBlocks;
    segment.blocks -= segment.fullBlocks;
    segment.fullBlocks = 0;
    if (segment.blocks === 0) this.#unlink(segment);
  }

  /** Takes `blocks` blocks, at most `count`, from the front: their contents are lost. */
  take(blocks: number): void {
    this.count -= blocks;
    let missing = blocks;
    for (let segment = this.#head; missing > 0 && segment !== undefined; segment = this.#head) {
      const taken = Math.min(missing, segment.blocks);
      missing -= taken;
      segment.blocks -= taken;
      if (segment.fullBlocks > segment.blocks) segment.fullBlocks = segment.blocks;
      if (segment.blocks > 0) return;
      this.#unlink(segment);
      if (segment.owner !== NOBODY) this.#segments.delete(segment.owner);
    }
  }

  #append(owner: number, blocks: number, fullBlocks: number): Segment {
    const segment = { owner, blocks, fullBlocks, previous: this.#tail, next: undefined };
    if (this.#tail === undefined) this.#head = segment;
    else this.#tail.next = segment;
    this.#tail = segment;
    return segment;
  }

  #unlink(segment: Segment): void {
    const { previous, next } = segment;
    if (previous === undefined) this.#head = next;
    else previous.next = next;
    if (next === undefined) this.#tail = previous;
    else next.previous = previous;
  }
}
