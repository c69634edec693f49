/**
 * Drawing until a limit is kept.
 *
 * @module
 */

/** Redraws of one request's lengths before a limit is said to be unreachable. */
const MAX_REDRAWS = 10_000;

/**
 * Draws until prompt and output have at most `maxTokens` together.
 *
 * @throws {RangeError} When that does not happen.
 */
export function redrawWithin<T>(
  draw: () => T,
  totalTokens: (drawn: T) => number,
  maxTokens: number,
): T {
  for (let attempt = 0; attempt < MAX_REDRAWS; attempt++) {
    const drawn = draw();
    if (totalTokens(drawn) <= maxTokens) return drawn;
  }
  throw new RangeError(
    `Cannot generate a workload: maxTokens must be reachable by the lengths, current value is ${maxTokens}`,
  );
}
