/**
 * What a router may see of the cluster.
 *
 * @module
 */

/** A request as a real router sees it: no output length. */
export interface RequestView {
  /** Row in the workload. */
  readonly index: number;
  /** Arrival time in seconds. */
  readonly arrivalSeconds: number;
  /**
   * Prompt length in tokens; of a request that has to start over after a preemption or a failure,
   * with the output that it had produced, which is computed again as a part of the prompt.
   */
  readonly promptTokens: number;
  /** Tokens of the request already processed (0 while it waits). */
  readonly processedTokens: number;
  /** Larger is more urgent; 0 by default. */
  readonly priority: number;
}

/**
 * Live, read-only view of the cluster at a routing decision. All numbers are what a router with
 * per-replica telemetry could know; true output lengths are not among them (see
 * {@linkcode OracleView}). Replica arguments are indices in `[0, replicaCount)`.
 */
export interface ClusterView {
  /** Number of replicas, up or down. */
  readonly replicaCount: number;
  /** Simulated time in seconds. */
  readonly nowSeconds: number;
  /** Requests that have arrived so far, the one being routed included. */
  readonly arrivedCount: number;
  /** Requests that have completed so far. */
  readonly completedCount: number;
  /** Whether the replica may be chosen (up and not draining). */
  isAvailable(replica: number): boolean;
  /** Requests queued at the replica that hold no KV blocks yet. */
  waitingCount(replica: number): number;
  /** Requests admitted by the replica: they hold KV blocks. */
  runningCount(replica: number): number;
  /** Waiting plus running requests. */
  outstandingCount(replica: number): number;
  /** Batches in flight, at most one per pipeline stage. */
  inFlightBatchCount(replica: number): number;
  /** Running requests that are in no batch right now (Vidur's `_preempted_requests`). */
  parkedCount(replica: number): number;
  /** KV blocks in use. */
  kvBlocksUsed(replica: number): number;
  /** KV blocks in all. */
  kvBlocksTotal(replica: number): number;
  /** Tokens per KV block. */
  blockSize(replica: number): number;
  /** Largest number of admitted requests (of a batch with orca and faster_transformer). */
  batchSizeCap(replica: number): number;
  /** Pipeline stages. */
  stageCount(replica: number): number;
  /** Prompt tokens not yet computed, over waiting and running requests. */
  pendingPrefillTokens(replica: number): number;
  /** Prompt tokens of waiting requests plus tokens already processed of running ones. */
  kvTokens(replica: number): number;
  /**
   * Exponential moving average over iterations of the time between tokens (duration of an
   * iteration that decoded at least one request), in seconds; 0 before the first.
   */
  tbtEmaSeconds(replica: number): number;
  /** Preemptions with recomputation so far. */
  restartCount(replica: number): number;
  /** The `k`-th waiting request (0 = head of the queue), or `undefined` past the end. */
  waitingRequest(replica: number, k: number): RequestView | undefined;
}

/** What no real router could see; handed out only where a configuration flag asks for it. */
export interface OracleView {
  /** True output length in tokens of a request. */
  outputTokens(requestIndex: number): number;
  /** True output tokens not yet produced, over waiting and running requests of the replica. */
  pendingOutputTokens(replica: number): number;
}
