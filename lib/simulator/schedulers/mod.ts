/**
 * Schedulers inside a replica.
 *
 * @module
 */
export { createReplicaScheduler } from "./create_replica_scheduler.ts";
export type { ReplicaScheduler } from "./replica_scheduler.ts";
