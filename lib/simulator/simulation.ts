/**
 * The vocabulary of a run: decisions, observers, results.
 *
 * @module
 */
import type { BatchShape } from "../timing/mod.ts";
import type { ClusterView, RequestView } from "./cluster_view.ts";

/** The simulator has paused: somebody must choose a replica for `request`. */
export interface RoutingDecision {
  /** Simulated time in seconds. */
  readonly nowSeconds: number;
  /** The request to be routed. */
  readonly request: RequestView;
  /** The cluster as it is now; valid until the next call of the simulator. */
  readonly view: ClusterView;
}

/** Chooses the replica of one request: returns an index for which `view.isAvailable` holds. */
export type RouteFunction = (decision: RoutingDecision) => number;

/** One stage execution of one batch. The object is reused: copy what is to be kept. */
export interface BatchRecord {
  /** Batch number, in creation order over the whole cluster. */
  readonly batchIndex: number;
  /** Replica that ran it. */
  readonly replica: number;
  /** Pipeline stage. */
  readonly stage: number;
  /** When the batch was formed, in seconds: at or before the start of its first stage. */
  readonly formedSeconds: number;
  /** Start in seconds. */
  readonly startSeconds: number;
  /** End in seconds. */
  readonly endSeconds: number;
  /** Number of requests; first `requestCount` entries of the two lists are valid. */
  readonly requestCount: number;
  /** Request rows, in batch order. */
  readonly requests: ArrayLike<number>;
  /** Tokens each request computed. */
  readonly tokens: ArrayLike<number>;
  /** Prompt tokens among them, summed. */
  readonly prefillTokens: number;
  /** KV blocks in use on the replica when the batch was formed. */
  readonly kvBlocksUsed: number;
  /** The composition that the timer was shown. */
  readonly shape: BatchShape;
}

/** Watches a run; every member is optional and costs nothing when absent. */
export interface SimulationObserver {
  /** A request was handed to a replica. */
  onRouted?(request: number, replica: number, nowSeconds: number): void;
  /** A request lost its replica to a failure and will be routed again. */
  onRequeued?(request: number, replica: number, nowSeconds: number): void;
  /** A request's first token is out. */
  onFirstToken?(request: number, replica: number, nowSeconds: number): void;
  /** A request has produced its last token. */
  onCompleted?(request: number, replica: number, nowSeconds: number): void;
  /**
   * A batch has left the last stage, and each of the first `count` requests of the list got one
   * output token. The list is reused: copy what is to be kept.
   */
  onTokens?(requests: ArrayLike<number>, count: number, replica: number, nowSeconds: number): void;
  /** A stage finished a batch. */
  onBatchStageEnd?(record: BatchRecord): void;
}

/**
 * What happened to every request, in columns of length `count`; times in seconds, `NaN` where the
 * event did not happen (only possible when the run was cut off, see
 * {@linkcode SimulationResult.unfinishedCount}).
 */
export interface RequestOutcomes {
  /** Replica that the request was routed to last, -1 if it is with none. */
  readonly replica: Int32Array;
  /** First time in a batch. */
  readonly scheduledSeconds: Float64Array;
  /** End of the iteration that completed the prompt first: time of the first token. */
  readonly firstTokenSeconds: Float64Array;
  /** Time of the last token. */
  readonly completedSeconds: Float64Array;
  /** Time spent in stages, summed. */
  readonly executionSeconds: Float64Array;
  /** Time spent in stages without CPU overhead, summed. */
  readonly modelExecutionSeconds: Float64Array;
  /** Gaps between a stage end and the next stage start, summed. */
  readonly preemptedSeconds: Float64Array;
  /** Preemptions with recomputation. */
  readonly restarts: Int32Array;
}

/** A finished (or cut off) run. */
export interface SimulationResult {
  /** Per-request outcomes. */
  readonly outcomes: RequestOutcomes;
  /** Clock at the end, in seconds. */
  readonly endSeconds: number;
  /** Batches formed. */
  readonly batchCount: number;
  /** Events in Vidur's counting (spec/simulator.md section 1). */
  readonly eventCount: number;
  /**
   * Requests that did not complete: 0 unless a time limit cut the run off, or some are stuck for
   * good (all replicas down; Vidur's schedulers, faithfully reproduced, on a request too long).
   */
  readonly unfinishedCount: number;
}
