/**
 * Walking over the replicas that may be chosen.
 *
 * @module
 */
import type { ClusterView } from "../simulator/mod.ts";

/**
 * Number of replicas that may be chosen.
 *
 * @throws {RangeError} When there is none.
 */
export function countAvailable(view: ClusterView): number {
  let count = 0;
  for (let replica = 0; replica < view.replicaCount; replica++) {
    if (view.isAvailable(replica)) count++;
  }
  if (count === 0) {
    throw new RangeError(
      `Cannot route a request: the number of available replicas must be >= 1, current value is 0 of ${view.replicaCount}`,
    );
  }
  return count;
}

/** Index of the `k`-th available replica, `k` below {@linkcode countAvailable}. */
export function nthAvailable(view: ClusterView, k: number): number {
  let replica = 0;
  for (let seen = 0;; replica++) {
    if (view.isAvailable(replica) && seen++ === k) return replica;
  }
}
