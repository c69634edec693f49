/**
 * The requests of one run, in columns.
 *
 * @module
 */

/**
 * What prompts begin with, as hashes of whole blocks of tokens: requests with equal hashes at the
 * beginning share that prefix. Rows of unequal length lie one behind the other.
 */
export interface PrefixHashes {
  /** Tokens a block; the last block of a prompt may be shorter. */
  readonly blockTokens: number;
  /** `[count + 1]`, non-decreasing: request `i` has the entries from `starts[i]` to `starts[i + 1]`. */
  readonly starts: Int32Array;
  /** Hashes, numbers without order; there may be more than the requests refer to. */
  readonly hashes: Int32Array;
}

/** What requests were promised, in seconds, each `[count]`; `Infinity` where nothing was. */
export interface RequestSlos {
  /** Limits of the time to first token. */
  readonly ttftSeconds?: Float64Array;
  /** Limits of the time per output token after the first. */
  readonly tpotSeconds?: Float64Array;
  /** Limits of the end-to-end latency. */
  readonly e2eSeconds?: Float64Array;
}

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
  /** Latency targets; a latency that is left out is not limited. */
  readonly slos?: RequestSlos;
  /** Hashes of the prompts' blocks, `ceil(promptTokens / blockTokens)` a request, where known. */
  readonly prefixHashes?: PrefixHashes;
}
