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
  /** Slot, time and sequence number by heap position: the children of a node are neighbours. */
  readonly #slots: Int32Array;
  readonly #times: Float64Array;
  readonly #sequences: Float64Array;
  /** Heap position by slot, -1 for slots that are not in the queue. */
  readonly #positions: Int32Array;
  #size = 0;
  #rootIsHole = false;
  #nextSequence = 0;

  /**
   * An empty heap.
   *
   * @param slotCount Slots are `0 .. slotCount - 1`.
   */
  constructor(slotCount: number) {
    this.#slots = new Int32Array(slotCount);
    this.#times = new Float64Array(slotCount);
    this.#sequences = new Float64Array(slotCount);
    this.#positions = new Int32Array(slotCount).fill(-1);
  }

  /** Entries waiting. */
  get size(): number {
    return this.#rootIsHole ? this.#size - 1 : this.#size;
  }

  /** Time of the earliest entry, `Infinity` when there is none. */
  peekSeconds(): number {
    if (this.#rootIsHole) this.#fillHole();
    return this.#size === 0 ? Infinity : this.#times[0]!;
  }

  /** Whether another entry has the time of the earliest one. */
  isTied(): boolean {
    if (this.#rootIsHole) this.#fillHole();
    const times = this.#times;
    const end = Math.min(this.#size, ARITY + 1);
    for (let child = 1; child < end; child++) {
      if (times[child] === times[0]) return true;
    }
    return false;
  }

  /** Adds a slot that is not in the queue. */
  push(slot: number, timeSeconds: number): void {
    const sequence = this.#nextSequence++;
    if (this.#rootIsHole) {
      this.#rootIsHole = false;
      this.#siftDown(0, slot, timeSeconds, sequence);
    } else {
      this.#siftUp(this.#size++, slot, timeSeconds, sequence);
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
    const last = --this.#size;
    if (position === last) return;
    const moved = this.#slots[last]!;
    const time = this.#times[last]!;
    const sequence = this.#sequences[last]!;
    this.#siftUp(position, moved, time, sequence);
    this.#siftDown(this.#positions[moved]!, moved, time, sequence);
  }

  #fillHole(): void {
    this.#rootIsHole = false;
    const last = --this.#size;
    if (last > 0) {
      this.#siftDown(0, this.#slots[last]!, this.#times[last]!, this.#sequences[last]!);
    }
  }

  #siftUp(start: number, slot: number, time: number, sequence: number): void {
    let position = start;
    while (position > 0) {
      const parent = ((position - 1) / ARITY) | 0;
      const parentTime = this.#times[parent]!;
      if (parentTime < time || (parentTime === time && this.#sequences[parent]! < sequence)) break;
      this.#move(parent, position);
      position = parent;
    }
    this.#place(position, slot, time, sequence);
  }

  #siftDown(start: number, slot: number, time: number, sequence: number): void {
    const times = this.#times;
    const sequences = this.#sequences;
    const size = this.#size;
    let position = start;
    for (let first = position * ARITY + 1; first < size; first = position * ARITY + 1) {
      const end = Math.min(first + ARITY, size);
      let least = first;
      for (let child = first + 1; child < end; child++) {
        const earlier = times[child]! < times[least]! ||
          (times[child] === times[least] && sequences[child]! < sequences[least]!);
        if (earlier) least = child;
      }
      const leastTime = times[least]!;
      if (leastTime > time || (leastTime === time && sequences[least]! > sequence)) break;
      this.#move(least, position);
      position = least;
    }
    this.#place(position, slot, time, sequence);
  }

  #move(from: number, to: number): void {
    this.#place(to, this.#slots[from]!, this.#times[from]!, this.#sequences[from]!);
  }

  #place(position: number, slot: number, time: number, sequence: number): void {
    this.#slots[position] = slot;
    this.#times[position] = time;
    this.#sequences[position] = sequence;
    this.#positions[slot] = position;
  }
}
