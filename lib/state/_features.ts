/**
 * The seam between {@linkcode StateBuilder} and its layouts.
 *
 * @module
 */
import type { SystemMetrics } from "../metrics/mod.ts";
import type { RoutingDecision, SimulationObserver } from "../simulator/mod.ts";
import type { DecodeLengths } from "./decode_lengths.ts";

/** What a layout may use besides the cluster view. */
export interface FeatureSources {
  /** Throughput and latency of the system. */
  readonly metrics: SystemMetrics;
  /** What is known of output lengths. */
  readonly decodeLengths: DecodeLengths;
  /** What the value function is told of them. */
  readonly criticDecodeLengths: DecodeLengths;
  /** Arrival time of every request in seconds. */
  readonly arrivalSeconds: ArrayLike<number>;
}

/** One layout: names, histories, and the numbers themselves. */
export interface Features extends SimulationObserver {
  /** Names of a replica's columns, without the replica's prefix. */
  readonly replicaNames: readonly string[];
  /** Names of the global columns. */
  readonly globalNames: readonly string[];
  /** See {@linkcode StateLayout.loadFeatures}. */
  readonly loadFeatures: readonly number[];
  /** See {@linkcode StateLayout.criticReplicaSize}. */
  readonly criticReplicaSize: number;
  /** See {@linkcode StateLayout.criticGlobalSize}. */
  readonly criticGlobalSize: number;
  /** Forgets every history and begins an episode. */
  reset(sources: FeatureSources): void;
  /** Takes the decision into the histories. */
  observe(decision: RoutingDecision): void;
  /** Writes the whole observation of the decision observed last; changes nothing else. */
  write(decision: RoutingDecision, out: Float32Array): void;
}
