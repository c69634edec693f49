/**
 * Least outstanding requests, weighted by known speeds.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { ConfigError } from "../support/mod.ts";
import { createScoreRouter, type ScoreFunction } from "./_score_router.ts";
import type { Router } from "./router.ts";

/**
 * Creates a router that minimises `(outstanding + 1) / speed`; equals are decided at random.
 *
 * @param rng Decides ties.
 * @param relativeSpeeds Speed of each replica, `[replicaCount]`, > 0, in any common unit, e.g. from
 *   `relativeSpeeds` of the timing package.
 * @throws {ConfigError} When a speed is not a finite number > 0.
 */
export function createSpeedWeightedLor(rng: Rng, relativeSpeeds: ArrayLike<number>): Router {
  return createSpeedRouter("speed_weighted_lor", relativeSpeeds, ({ view }, out) => {
    for (let replica = 0; replica < out.length; replica++) {
      out[replica] = view.outstandingCount(replica) + 1;
    }
  }, rng);
}

/**
 * Creates a router that takes the available replica of lowest work / speed.
 *
 * @param work Writes the work of every replica, in any common unit.
 * @throws {ConfigError} When a speed is not a finite number > 0; the router, when the cluster has
 *   another number of replicas.
 */
export function createSpeedRouter(
  name: string,
  relativeSpeeds: ArrayLike<number>,
  work: ScoreFunction,
  tieRng: Rng,
): Router {
  const speeds = requireSpeeds(relativeSpeeds);
  return createScoreRouter(name, (decision, out) => {
    if (out.length !== speeds.length) {
      throw new ConfigError("relativeSpeeds.length", speeds.length, `${out.length} (replicas)`);
    }
    work(decision, out);
    for (let replica = 0; replica < out.length; replica++) out[replica]! /= speeds[replica]!;
  }, tieRng);
}

/** A copy of speeds that routers divide by. */
function requireSpeeds(relativeSpeeds: ArrayLike<number>): Float64Array {
  const speeds = Float64Array.from(relativeSpeeds);
  speeds.forEach((speed, replica) => {
    if (!(speed > 0) || !Number.isFinite(speed)) {
      throw new ConfigError(`relativeSpeeds[${replica}]`, speed, "a finite number > 0");
    }
  });
  return speeds;
}
