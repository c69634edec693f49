/**
 * Routers that observe whole runs.
 *
 * @module
 */
import type { Router } from "../routing/mod.ts";
import type { StateEpisode } from "../state/mod.ts";

/** A router whose observations need more of a run than its decisions show. */
export interface EpisodeRouter extends Router {
  /** Prepares for a run: to be called before it, in place of `reset`. */
  begin(episode: StateEpisode): void;
}

/** Whether a router has to be told of the run. */
export function isEpisodeRouter(router: Router): router is EpisodeRouter {
  return "begin" in router;
}
