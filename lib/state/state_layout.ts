/**
 * How an observation is cut into slices.
 *
 * @module
 */

/**
 * Shape of an observation: `[replica 0 | replica 1 | ... | global]`, `perReplicaSize` numbers a
 * replica with the same meaning at the same offset for every replica, then `globalSize` numbers
 * about the system and the request to be routed.
 */
export interface StateLayout {
  /** Number of replicas, N. */
  readonly replicaCount: number;
  /** Numbers per replica. */
  readonly perReplicaSize: number;
  /** Numbers after the last replica. */
  readonly globalSize: number;
  /** N * perReplicaSize + globalSize. */
  readonly size: number;
  /**
   * Offsets inside a replica's slice of the columns that count its outstanding requests. Their sum
   * grows with waiting plus running requests, so that "fewest outstanding first" can be read off
   * them: one column in layout `signalbox`, waiting and running apart in layout `vidurrl`. With
   * `loadCounts: "waiting"`, the column of waiting requests.
   */
  readonly loadFeatures: readonly number[];
  /** Columns at the end of every replica's slice that are for the value function only. */
  readonly criticReplicaSize: number;
  /** Columns at the end of the global part that are for the value function only. */
  readonly criticGlobalSize: number;
}

/**
 * Statistic of each dimension for a {@linkcode RunningNormalizer} whose statistics are shared by
 * all replicas: the same feature of two replicas is then scaled alike and stays comparable, which
 * a network with shared per-replica weights needs.
 *
 * @returns New array `[layout.size]` with values in `[0, perReplicaSize + globalSize)`.
 *
 * @example
 * ```ts
 * import { sharedStatisticSlots } from "@signalbox/signalbox/state";
 * import assert from "node:assert/strict";
 *
 * const slots = sharedStatisticSlots({ perReplicaSize: 2, globalSize: 1, size: 5 });
 * assert.deepEqual([...slots], [0, 1, 0, 1, 2]);
 * ```
 */
export function sharedStatisticSlots(
  layout: Pick<StateLayout, "perReplicaSize" | "globalSize" | "size">,
): Int32Array {
  const { perReplicaSize, size } = layout;
  const replicaPart = size - layout.globalSize;
  const slots = new Int32Array(size);
  for (let i = 0; i < size; i++) {
    slots[i] = i < replicaPart ? i % perReplicaSize : perReplicaSize + i - replicaPart;
  }
  return slots;
}
