/**
 * What still has to happen at the present instant.
 *
 * @module
 */

/** Kinds of zero-delay events, in Vidur's terms (spec/simulator.md section 1). */
export const InstantKind = {
  /** GlobalSchedule: route what has arrived. */
  route: 0,
  /** ReplicaSchedule: form batches. Operand: replica. */
  schedule: 1,
  /** BatchStageArrival. Operands: stage slot, pipeline slot of the batch. */
  enterStage: 2,
  /** ReplicaStageSchedule: start the next batch of a stage. Operand: stage slot. */
  startStage: 3,
  /** BatchEnd. Operands: replica, pipeline slot of the batch. */
  endBatch: 4,
} as const;

/** Numbers per entry: kind and two operands. */
const STRIDE = 3;

/**
 * First-in first-out queue of zero-delay events. Vidur orders events of equal time by creation, so
 * whatever is created at an instant happens after everything that was due then, in this order.
 */
export class InstantQueue {
  #entries = new Int32Array(64 * STRIDE);
  #head = 0;
  #tail = 0;

  /** Whether nothing is left to do now. */
  get isEmpty(): boolean {
    return this.#head === this.#tail;
  }

  /** Kind of the first entry. */
  get kind(): number {
    return this.#entries[this.#head]!;
  }

  /** First operand of the first entry. */
  get first(): number {
    return this.#entries[this.#head + 1]!;
  }

  /** Second operand of the first entry. */
  get second(): number {
    return this.#entries[this.#head + 2]!;
  }

  /** Adds an entry. */
  push(kind: number, first = 0, second = 0): void {
    if (this.#tail === this.#entries.length) this.#makeRoom();
    this.#entries[this.#tail] = kind;
    this.#entries[this.#tail + 1] = first;
    this.#entries[this.#tail + 2] = second;
    this.#tail += STRIDE;
  }

  /** Removes the first entry. */
  shift(): void {
    this.#head += STRIDE;
    if (this.#head === this.#tail) {
      this.#head = 0;
      this.#tail = 0;
    }
  }

  #makeRoom(): void {
    const used = this.#tail - this.#head;
    const target = used * 2 > this.#entries.length
      ? new Int32Array(this.#entries.length * 2)
      : this.#entries;
    target.set(this.#entries.subarray(this.#head, this.#tail));
    this.#entries = target;
    this.#head = 0;
    this.#tail = used;
  }
}
