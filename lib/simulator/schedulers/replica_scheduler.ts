/**
 * What all schedulers inside a replica have in common.
 *
 * @module
 */
import type { Batch } from "../batch.ts";

/** Decides, whenever a pipeline slot of a replica is free, which requests the next batch holds. */
export interface ReplicaScheduler {
  /** Fills an empty batch, or leaves it empty when there is nothing to run. */
  form(batch: Batch, nowSeconds: number): void;
  /**
   * Takes over the release and parking of a finished batch's requests. Without it, completed
   * requests are released and the others parked, in batch order.
   */
  endBatch?(batch: Batch): void;
  /** Adds the running requests that only the scheduler knows of to `requests`, and forgets them. */
  evacuate?(requests: number[]): void;
}
