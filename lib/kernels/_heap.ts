/** Memory management for the kernels' linear memory. */
import { PAGE_BYTES } from "./_module.ts";

/** Whatever hands out blocks of the kernels' memory. */
export interface Allocator {
  /** A block of at least that many bytes, 64-byte aligned, contents undefined. */
  allocate(bytes: number): number;
  /** Gives a block back; `bytes` is what it was asked for with. */
  free(pointer: number, bytes: number): void;
}

/** Blocks start on cache lines. */
const ALIGNMENT = 64;

/** Bytes after the last block that kernels may read (never write): the width of a panel of B. */
const GUARD_BYTES = 64;

/** Address of the first block; below are the kernels' constants, and 0, which means "none". */
const FIRST_BLOCK = 1024;

/**
 * Size classes with free lists over a memory that only grows. Blocks are never split or joined: a
 * training loop asks for the same sizes in every step, so after the first step it finds them all.
 */
export class Heap implements Allocator {
  readonly #memory: WebAssembly.Memory;
  readonly #freeBlocks = new Map<number, number[]>();
  #top = FIRST_BLOCK;
  #usedBytes = 0;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
  }

  /** Bytes in blocks that are handed out. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes that were ever handed out at the same time, as far as size classes allow. */
  get reservedBytes(): number {
    return this.#top - FIRST_BLOCK;
  }

  allocate(bytes: number): number {
    const size = sizeClass(bytes);
    const reused = this.#freeBlocks.get(size)?.pop();
    const pointer = reused ?? this.#takeFresh(size);
    this.#usedBytes += size;
    return pointer;
  }

  free(pointer: number, bytes: number): void {
    const size = sizeClass(bytes);
    this.#usedBytes -= size;
    const blocks = this.#freeBlocks.get(size);
    if (blocks === undefined) this.#freeBlocks.set(size, [pointer]);
    else blocks.push(pointer);
  }

  #takeFresh(size: number): number {
    const pointer = this.#top;
    this.#reserve(pointer + size + GUARD_BYTES);
    this.#top += size;
    return pointer;
  }

  /** Grows the memory to so many bytes at least. */
  #reserve(bytes: number): void {
    const present = this.#memory.buffer.byteLength;
    const missingPages = Math.ceil((bytes - present) / PAGE_BYTES);
    if (missingPages <= 0) return;
    // Half as much again as there is, so that growing stays rare; near the limit, what is missing.
    const wantedPages = Math.max(missingPages, Math.ceil(present / 2 / PAGE_BYTES));
    try {
      this.#memory.grow(wantedPages);
    } catch {
      this.#memory.grow(missingPages);
    }
  }
}

/** Multiples of 64 bytes, from 512 on four classes for each doubling: at most 25 % is wasted. */
export function sizeClass(bytes: number): number {
  if (bytes <= 512) return Math.max(ALIGNMENT, (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1));
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.ceil(bytes / step) * step;
}
