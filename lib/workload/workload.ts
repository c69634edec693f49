/**
 * The requests of one run, in columns.
 *
 * @module
 */

/**
 * Requests in order of arrival, one array a field (structure of arrays: a million requests are a
 * few large buffers). Row `i` is request `i` everywhere in the project.
 */
export interface Workload {
  /** Where the requests come from, for tables and plots. */
  readonly name: string;
  /** Number of requests. */
  readonly count: number;
  /** Arrival times in seconds, `[count]`, finite, >= 0, non-decreasing. */
  readonly arrivalSeconds: Float64Array;
  /** Prompt lengths in tokens, `[count]`, each >= 1. */
  readonly promptTokens: Int32Array;
  /**
   * True output lengths in tokens, `[count]`, each >= 1 (the token that the prefill yields is the
   * first). Known to the simulator only; a router sees them only if a configuration flag says so.
   */
  readonly outputTokens: Int32Array;
  /** Priorities, `[count]`, larger is more urgent; absent means all 0. */
  readonly priority?: Int32Array;
}
