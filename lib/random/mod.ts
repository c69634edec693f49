/**
 * Seeded randomness: one generator, named streams.
 *
 * @module
 */
export { Rng, type RngState } from "./rng.ts";
