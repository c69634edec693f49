/**
 * Least tokens in or bound for the KV cache.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import { createScoreRouter } from "./_score_router.ts";
import type { Router } from "./router.ts";

/**
 * Creates a router that takes the replica with the fewest tokens, waiting prompts and processed
 * tokens of running requests together; equals are decided at random.
 */
export function createLeastKvTokens(rng: Rng): Router {
  return createScoreRouter("least_kv_tokens", ({ view }, out) => {
    for (let replica = 0; replica < out.length; replica++) out[replica] = view.kvTokens(replica);
  }, rng);
}
