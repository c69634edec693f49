/**
 * The calendar of stage completions.
 *
 * @module
 */

/** Children of a heap node: four keep the tree shallow and siblings in one cache line. */
const ARITY = 4;

/**
 * Priority queue of `(time, sequence)` over a fixed set of slots, each in the queue at most once.
 * Entries of equal time leave in the order in which they were pushed. Nothing is allocated after
 * construction.
 *
 * Popping leaves a hole at the root that the next push fills: an iteration that ends and starts the
 * next one on the same replica costs one sift.
 *
 * @example Equal times leave in order of insertion
 * ```ts
 * import { EventHeap } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const heap = new EventHeap(3);
 * heap.push(2, 1.5);
 * heap.push(0, 1.5);
 * heap.push(1, 0.5);
 * assert.deepEqual([heap.pop(), heap.pop(), heap.pop()], [1, 2, 0]);
 * assert.equal(heap.peekSeconds(), Infinity);
 * ```
 */
export class EventHeap {
  readonly #slots: Int32Array;
  readonly #positions: Int32Array;
  readonly #times: Float64Array;
  readonly #sequences: Float64Array;
  #size = 0;
  #rootIsHole = false;
  #nextSequence = 0;

  /** @param slotCount Slots are `0 .. slotCount - 1`. */
  constructor(slotCount: number) {
    this.#slots = new Int32Array(slotCount);
    this.#positions = new Int32Array(slotCount).fill(-1);
    this.#times = new Float64Array(slotCount);
    this.#sequences = new Float64Array(slotCount);
  }

  /** Entries waiting. */
  get size(): number {
    return this.#rootIsHole ? this.#size - 1 : this.#size;
  }

  /** Time of the earliest entry, `Infinity` when there is none. */
  peekSeconds(): number {
    if (this.#rootIsHole) this.#fillHole();
    return this.#size === 0 ? Infinity : this.#times[this.#slots[0]!]!;
  }

  /** Whether another entry has the time of the earliest one. */
  isTied(): boolean {
    if (this.#rootIsHole) this.#fillHole();
    const end = Math.min(this.#size, ARITY + 1);
    if (end < 2) return false;
    const earliest = this.#times[this.#slots[0]!]!;
    for (let child = 1; child < end; child++) {
      if (this.#times[this.#slots[child]!]! === earliest) return true;
    }
    return false;
  }

  /** Adds a slot that is not in the queue. */
  push(slot: number, timeSeconds: number): void {
    this.#times[slot] = timeSeconds;
    this.#sequences[slot] = this.#nextSequence++;
    if (this.#rootIsHole) {
      this.#rootIsHole = false;
      this.#siftDown(0, slot);
    } else {
      this.#siftUp(this.#size++, slot);
    }
  }

  /** Removes the earliest entry, which must exist, and returns its slot. */
  pop(): number {
    if (this.#rootIsHole) this.#fillHole();
    const slot = this.#slots[0]!;
    this.#positions[slot] = -1;
    this.#rootIsHole = true;
    return slot;
  }

  /** Removes a slot; does nothing when it is not in the queue. */
  remove(slot: number): void {
    if (this.#rootIsHole) this.#fillHole();
    const position = this.#positions[slot]!;
    if (position < 0) return;
    this.#positions[slot] = -1;
    const last = this.#slots[--this.#size]!;
    if (last === slot) return;
    this.#siftUp(position, last);
    this.#siftDown(this.#positions[last]!, last);
  }

  #fillHole(): void {
    this.#rootIsHole = false;
    if (--this.#size > 0) this.#siftDown(0, this.#slots[this.#size]!);
  }

  #siftUp(start: number, slot: number): void {
    const slots = this.#slots;
    const positions = this.#positions;
    let position = start;
    while (position > 0) {
      const parent = ((position - 1) / ARITY) | 0;
      const other = slots[parent]!;
      if (!this.#before(slot, other)) break;
      slots[position] = other;
      positions[other] = position;
      position = parent;
    }
    slots[position] = slot;
    positions[slot] = position;
  }

  #siftDown(start: number, slot: number): void {
    const slots = this.#slots;
    const positions = this.#positions;
    const size = this.#size;
    let position = start;
    for (;;) {
      const first = position * ARITY + 1;
      if (first >= size) break;
      const end = Math.min(first + ARITY, size);
      let least = first;
      for (let child = first + 1; child < end; child++) {
        if (this.#before(slots[child]!, slots[least]!)) least = child;
      }
      const other = slots[least]!;
      if (!this.#before(other, slot)) break;
      slots[position] = other;
      positions[other] = position;
      position = least;
    }
    slots[position] = slot;
    positions[slot] = position;
  }

  #before(a: number, b: number): boolean {
    const timeA = this.#times[a]!;
    const timeB = this.#times[b]!;
    return timeA < timeB || (timeA === timeB && this.#sequences[a]! < this.#sequences[b]!);
  }
}
