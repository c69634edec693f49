/**
 * The seam between networks and everything that uses them.
 *
 * @module
 */
import type { tf } from "./_tensorflow.ts";

/** Where the per-replica slices lie in an observation: replica after replica, then the rest. */
export interface ReplicaLayout {
  /** Number of replicas, which is also the number of actions. */
  readonly replicaCount: number;
  /** Features of each replica. */
  readonly perReplicaSize: number;
  /** Features after the replicas' (cluster-wide ones and the request to be routed). */
  readonly globalSize: number;
  /**
   * Offsets inside a replica's slice whose sum is its load (outstanding requests), for policies
   * that start as least-outstanding-requests.
   */
  readonly loadFeatures?: readonly number[];
  /** Features at the end of every replica's slice that only the value may depend on; 0 if absent. */
  readonly criticReplicaSize?: number;
  /** Features at the end of the rest that only the value may depend on; 0 if absent. */
  readonly criticGlobalSize?: number;
}

/** What a network must fit. */
export interface PolicyShape {
  /** Width D of an observation. */
  readonly observationSize: number;
  /** Number A of actions. */
  readonly actionCount: number;
  /** Needed by kind `replica_scorer`. */
  readonly replicaLayout?: ReplicaLayout;
}

/** What a recurrent network needs to know about the past of `rows` sequences of `steps` steps. */
export interface NetworkMemory {
  /** `[rows, S]`, before the first step. */
  readonly hiddenStates: tf.Tensor2D;
  /** `[steps, rows]`: 0 where an episode starts and the hidden state is cleared first, else 1. */
  readonly keep: tf.Tensor2D;
}

/** A batch of `rows` sequences of `steps` steps, flattened time-major: row `t * rows + b`. */
export interface NetworkInput {
  /** `[steps * rows, D]`. */
  readonly observations: tf.Tensor2D;
  /** Absent for feed-forward networks. */
  readonly memory?: NetworkMemory | undefined;
  /** `[steps * rows, A]`, 1 = allowed, 0 = not; absent when every action is allowed. */
  readonly actionMask?: tf.Tensor2D | undefined;
}

/** What a network computes. */
export interface NetworkOutput {
  /** `[steps * rows, A]`, before temperature and mask. */
  readonly logits: tf.Tensor2D;
  /** `[steps * rows]`. */
  readonly values: tf.Tensor1D;
  /** `[rows, S]`, after the last step; absent for feed-forward networks. */
  readonly hiddenStates?: tf.Tensor2D;
}

/** A policy and a value function over one set of parameters. */
export interface Network {
  /** Floats S of hidden state per environment, 0 for a feed-forward network. */
  readonly hiddenStateSize: number;
  /** Differentiable forward pass. */
  forward(input: NetworkInput): NetworkOutput;
}
