/**
 * Collecting requests whose number is not known beforehand.
 *
 * @module
 */
import type { Workload } from "./workload.ts";

const FIRST_CAPACITY = 1024;

/** Columns that double when full, so that a stream of any length costs amortised constant time. */
export class WorkloadBuilder {
  #count = 0;
  #arrivalSeconds = new Float64Array(FIRST_CAPACITY);
  #promptTokens = new Int32Array(FIRST_CAPACITY);
  #outputTokens = new Int32Array(FIRST_CAPACITY);
  #blockTokens = 0;
  readonly #hashStarts: number[] = [0];
  readonly #hashes: number[] = [];

  /** Requests added so far. */
  get count(): number {
    return this.#count;
  }

  /** Appends a request; nothing is checked. */
  add(arrivalSeconds: number, promptTokens: number, outputTokens: number): void {
    if (this.#count === this.#arrivalSeconds.length) this.#grow();
    this.#arrivalSeconds[this.#count] = arrivalSeconds;
    this.#promptTokens[this.#count] = promptTokens;
    this.#outputTokens[this.#count] = outputTokens;
    this.#count++;
  }

  /** Adds the hashes of the request added last; for all requests or for none. */
  addHashes(hashes: readonly number[], blockTokens: number): void {
    this.#blockTokens = blockTokens;
    for (const hash of hashes) this.#hashes.push(hash);
    this.#hashStarts.push(this.#hashes.length);
  }

  /** The requests added so far, in buffers of their own. */
  build(name: string): Workload {
    return {
      name,
      count: this.#count,
      arrivalSeconds: this.#arrivalSeconds.slice(0, this.#count),
      promptTokens: this.#promptTokens.slice(0, this.#count),
      outputTokens: this.#outputTokens.slice(0, this.#count),
      ...(this.#blockTokens > 0 && {
        prefixHashes: {
          blockTokens: this.#blockTokens,
          starts: Int32Array.from(this.#hashStarts),
          hashes: Int32Array.from(this.#hashes),
        },
      }),
    };
  }

  #grow(): void {
    const capacity = 2 * this.#count;
    const arrivalSeconds = new Float64Array(capacity);
    arrivalSeconds.set(this.#arrivalSeconds);
    const promptTokens = new Int32Array(capacity);
    promptTokens.set(this.#promptTokens);
    const outputTokens = new Int32Array(capacity);
    outputTokens.set(this.#outputTokens);
    this.#arrivalSeconds = arrivalSeconds;
    this.#promptTokens = promptTokens;
    this.#outputTokens = outputTokens;
  }
}
