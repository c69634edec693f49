/**
 * What the agent is told of output lengths.
 *
 * @module
 */
import { Rng } from "../random/mod.ts";
import type { OracleView } from "../simulator/mod.ts";
import type { StateConfig } from "./state_schema.ts";

/** Known output length of a request in tokens; 0 where it is hidden. */
export interface DecodeLengths {
  /** Output tokens of request `requestIndex` as the agent is told. */
  outputTokens(requestIndex: number): number;
}

/** Tells nothing: every length is 0. */
export const HIDDEN: DecodeLengths = { outputTokens: () => 0 };

/**
 * Builds the source of output lengths that a configuration asks for.
 *
 * - `hidden`: 0 for every request;
 * - `predicted`: truth * exp(s * z), z standard normal, s = `predictionNoise`, rounded to whole
 *   tokens, at least 1. The draw depends on `predictionSeed` and the request only, so that a
 *   request keeps its prediction however often it is looked at;
 * - `true`: the truth.
 *
 * Source: spec/scheduler.md section 5.6 ("decode length is an oracle: expose as option").
 *
 * @param oracle The simulator's truth; required unless lengths are hidden.
 * @throws {TypeError} When the oracle is missing although the configuration needs it.
 */
export function createDecodeLengths(
  config: Pick<StateConfig, "decodeLengths" | "predictionNoise">,
  oracle: OracleView | undefined,
  predictionSeed: number,
): DecodeLengths {
  if (config.decodeLengths === "hidden") return HIDDEN;
  if (oracle === undefined) {
    throw new TypeError(
      "Cannot observe output lengths: oracle must be given when decodeLengths is " +
        `"${config.decodeLengths}", current value is undefined`,
    );
  }
  if (config.decodeLengths === "true") return oracle;
  return predictedLengths(oracle, config.predictionNoise, new Rng(predictionSeed));
}

function predictedLengths(oracle: OracleView, noise: number, rng: Rng): DecodeLengths {
  const predictions = new Map<number, number>();
  return {
    outputTokens(requestIndex: number): number {
      let tokens = predictions.get(requestIndex);
      if (tokens === undefined) {
        const z = rng.stream(`request ${requestIndex}`).normal();
        tokens = Math.max(1, Math.round(oracle.outputTokens(requestIndex) * Math.exp(noise * z)));
        predictions.set(requestIndex, tokens);
      }
      return tokens;
    },
  };
}
