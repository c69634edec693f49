/**
 * Latency targets of some of the requests.
 *
 * @module
 */
import type { RequestSlos } from "./workload.ts";

/** The same targets with every column replaced. */
export function mapSlos(
  slos: RequestSlos,
  map: (column: Float64Array) => Float64Array,
): RequestSlos {
  const { ttftSeconds, tpotSeconds, e2eSeconds } = slos;
  return {
    ...(ttftSeconds && { ttftSeconds: map(ttftSeconds) }),
    ...(tpotSeconds && { tpotSeconds: map(tpotSeconds) }),
    ...(e2eSeconds && { e2eSeconds: map(e2eSeconds) }),
  };
}
