/**
 * The pipeline stages of all replicas.
 *
 * @module
 */
import type { Batch } from "./batch.ts";
import type { ReplicaSpec } from "./replica_spec.ts";

/**
 * State of every pipeline stage of the cluster; stage `s` of replica `r` is slot
 * `firstSlot[r] + s`. A stage computes one batch at a time, others wait in a first-in first-out
 * list.
 */
export class StageTable {
  /** Number of slots. */
  readonly count: number;
  /** First slot of each replica. */
  readonly firstSlot: Int32Array;
  /** Replica of each slot. */
  readonly replica: Int32Array;
  /** Batch that the stage computes, if any. */
  readonly running: (Batch | undefined)[];
  /** When it was started, in seconds. */
  readonly startSeconds: Float64Array;
  /** Its duration without CPU overhead, in seconds. */
  readonly modelSeconds: Float64Array;
  /** Its duration in seconds. */
  readonly totalSeconds: Float64Array;
  readonly #waiting: Batch[][];

  /** Lays out the stages of a cluster. */
  constructor(specs: readonly ReplicaSpec[]) {
    this.firstSlot = new Int32Array(specs.length);
    const replica: number[] = [];
    specs.forEach((spec, index) => {
      this.firstSlot[index] = replica.length;
      for (let stage = 0; stage < spec.stageCount; stage++) replica.push(index);
    });
    this.count = replica.length;
    this.replica = Int32Array.from(replica);
    this.running = replica.map(() => undefined);
    this.#waiting = replica.map(() => []);
    this.startSeconds = new Float64Array(this.count);
    this.modelSeconds = new Float64Array(this.count);
    this.totalSeconds = new Float64Array(this.count);
  }

  /** Queues a batch at a stage. */
  enqueue(slot: number, batch: Batch): void {
    this.#waiting[slot]!.push(batch);
  }

  /** Takes the batch that waits longest; the list is never longer than the pipeline. */
  dequeue(slot: number): Batch | undefined {
    return this.#waiting[slot]!.shift();
  }

  /** Forgets what a stage computes and what waits for it. */
  clear(slot: number): void {
    this.running[slot] = undefined;
    this.#waiting[slot]!.length = 0;
  }
}
