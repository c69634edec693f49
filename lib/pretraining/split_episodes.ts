/**
 * Which episodes are held out.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { UsageError } from "../support/mod.ts";
import type { DemonstrationManifest } from "./manifest.ts";

/** Indices of episodes, ascending. */
export interface EpisodeSplit {
  /** To learn from. */
  readonly training: readonly number[];
  /** To judge by. */
  readonly validation: readonly number[];
}

/**
 * Holds out a share of every router's episodes, drawn at random: rounded, at least one of routers
 * that have two or more, never all.
 *
 * @throws {UsageError} When no router has two episodes.
 */
export function splitEpisodes(
  { episodes }: Pick<DemonstrationManifest, "episodes">,
  validationShare: number,
  rng: Rng,
): EpisodeSplit {
  const validation: number[] = [];
  for (const router of new Set(episodes.map((episode) => episode.router))) {
    const own = episodes.flatMap((episode, e) => episode.router === router ? [e] : []);
    if (own.length < 2) continue;
    const rounded = Math.round(validationShare * own.length);
    const count = Math.min(own.length - 1, Math.max(1, rounded));
    validation.push(...rng.shuffle(own).slice(0, count));
  }
  if (validation.length === 0) {
    throw new UsageError(
      "Cannot pretrain: a router must have at least 2 episodes, one of them to be held out, " +
        `current numbers are 1 each (${episodes.map(({ router }) => router).join(", ")})`,
    );
  }
  const isHeldOut = new Set(validation);
  return {
    training: episodes.flatMap((_, e) => isHeldOut.has(e) ? [] : [e]),
    validation: validation.sort((a, b) => a - b),
  };
}
