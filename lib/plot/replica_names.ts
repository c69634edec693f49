/**
 * What charts call replicas.
 *
 * @module
 */

/** How a chart names replicas. */
export interface ReplicaNameOptions {
  /** Names of the replicas, e.g. `["0 H100", "1 A100"]`; `replica 0` and so on by default. */
  readonly replicaNames?: readonly string[];
}
