/**
 * One iteration's batch.
 *
 * @module
 */
import type { BatchShape } from "../timing/mod.ts";

/**
 * A batch in one of a replica's pipeline slots. The object is reused for every iteration of the
 * slot; its lists grow to the largest batch and stay.
 */
export class Batch implements BatchShape {
  /** Position among the replica's pipeline slots. */
  readonly slot: number;
  /** Number over the whole cluster, in order of creation. */
  batchIndex = -1;
  /** When the batch was formed. */
  formedSeconds = 0;
  /** KV blocks in use on the replica just after. */
  kvBlocksUsed = 0;
  /** Request rows; the first `requestCount` are valid. */
  requests: Int32Array;
  /** Tokens each computes. */
  tokens: Int32Array;
  /** @inheritdoc */
  requestCount = 0;
  /** @inheritdoc */
  totalTokens = 0;
  /** Prompt tokens among `totalTokens`. */
  prefillTokens = 0;
  /** @inheritdoc */
  decodeCount = 0;
  /** @inheritdoc */
  decodeContextTokens = 0;
  /** @inheritdoc */
  maxDecodeContextTokens = 0;
  /** @inheritdoc */
  prefillCount = 0;
  /** @inheritdoc */
  prefillContextTokens: Int32Array;
  /** @inheritdoc */
  prefillChunkTokens: Int32Array;
  /** Leading rows of `tokens` that are known to be 1 from earlier iterations. */
  #ones = 0;

  /** @param capacity Requests to make room for at first. */
  constructor(slot: number, capacity: number) {
    this.slot = slot;
    this.requests = new Int32Array(capacity);
    this.tokens = new Int32Array(capacity);
    this.prefillContextTokens = new Int32Array(capacity);
    this.prefillChunkTokens = new Int32Array(capacity);
  }

  /** Empties the batch. */
  clear(): void {
    this.requestCount = 0;
    this.totalTokens = 0;
    this.prefillTokens = 0;
    this.decodeCount = 0;
    this.decodeContextTokens = 0;
    this.maxDecodeContextTokens = 0;
    this.prefillCount = 0;
  }

  /** Adds a request that computes one token after `contextTokens` processed ones. */
  addDecode(request: number, contextTokens: number): void {
    const row = this.requestCount;
    if (row === this.requests.length) this.#grow();
    this.requests[row] = request;
    this.tokens[row] = 1;
    this.requestCount = row + 1;
    this.totalTokens++;
    this.decodeCount++;
    this.decodeContextTokens += contextTokens;
    if (contextTokens > this.maxDecodeContextTokens) this.maxDecodeContextTokens = contextTokens;
  }

  /**
   * The request list with room for `count` rows, for a scheduler that writes decodes into the empty
   * batch by itself and then declares them with {@linkcode Batch.setDecodes}.
   */
  roomForDecodes(count: number): Int32Array {
    while (count > this.requests.length) this.#grow();
    return this.requests;
  }

  /** Declares the first `count` rows of an empty batch to be decodes with the given contexts. */
  setDecodes(count: number, contextTokens: number, maxContextTokens: number): void {
    for (let row = this.#ones; row < count; row++) this.tokens[row] = 1;
    if (count > this.#ones) this.#ones = count;
    this.requestCount = count;
    this.totalTokens = count;
    this.decodeCount = count;
    this.decodeContextTokens = contextTokens;
    this.maxDecodeContextTokens = maxContextTokens;
  }

  /** Adds a request that computes `chunkTokens` of its prompt after `contextTokens` of it. */
  addPrefill(request: number, contextTokens: number, chunkTokens: number): void {
    const row = this.requestCount;
    if (row === this.requests.length) this.#grow();
    this.requests[row] = request;
    this.tokens[row] = chunkTokens;
    if (row < this.#ones) this.#ones = row;
    this.requestCount = row + 1;
    this.totalTokens += chunkTokens;
    this.prefillTokens += chunkTokens;
    this.prefillContextTokens[this.prefillCount] = contextTokens;
    this.prefillChunkTokens[this.prefillCount] = chunkTokens;
    this.prefillCount++;
  }

  #grow(): void {
    this.requests = grown(this.requests);
    this.tokens = grown(this.tokens);
    this.prefillContextTokens = grown(this.prefillContextTokens);
    this.prefillChunkTokens = grown(this.prefillChunkTokens);
  }
}

/** A copy with twice the room. */
export function grown(values: Int32Array): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(Math.max(8, values.length * 2));
  copy.set(values);
  return copy;
}
