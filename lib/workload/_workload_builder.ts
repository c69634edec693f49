/**
 * Collecting requests whose number is not known beforehand.
 *
 * @module
 */
import type { RequestSlos, Workload } from "./workload.ts";

const FIRST_CAPACITY = 1024;

/** Columns that a trace may have, by their names there, with the value of a request without one. */
export const OPTIONAL_COLUMNS = {
  priority: 0,
  ttft_slo_seconds: Infinity,
  tpot_slo_seconds: Infinity,
  e2e_slo_seconds: Infinity,
} as const;

/** One of {@linkcode OPTIONAL_COLUMNS}. */
export type OptionalColumn = keyof typeof OPTIONAL_COLUMNS;

/** Columns that double when full, so that a stream of any length costs amortised constant time. */
export class WorkloadBuilder {
  #count = 0;
  #arrivalSeconds = new Float64Array(FIRST_CAPACITY);
  #promptTokens = new Int32Array(FIRST_CAPACITY);
  #outputTokens = new Int32Array(FIRST_CAPACITY);
  readonly #optional = new Map<OptionalColumn, number[]>();
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

  /** Sets an optional column of the request added last. */
  set(column: OptionalColumn, value: number): void {
    const values = this.#optional.get(column) ?? [];
    this.#optional.set(column, values);
    while (values.length < this.#count - 1) values.push(OPTIONAL_COLUMNS[column]);
    values.push(value);
  }

  /** Adds the hashes of the request added last; for all requests or for none. */
  addHashes(hashes: readonly number[], blockTokens: number): void {
    this.#blockTokens = blockTokens;
    for (const hash of hashes) this.#hashes.push(hash);
    this.#hashStarts.push(this.#hashes.length);
  }

  /** The requests added so far, in buffers of their own. */
  build(name: string): Workload {
    const priority = this.#optionalColumn("priority");
    const ttftSeconds = this.#optionalColumn("ttft_slo_seconds");
    const tpotSeconds = this.#optionalColumn("tpot_slo_seconds");
    const e2eSeconds = this.#optionalColumn("e2e_slo_seconds");
    const slos: RequestSlos = {
      ...(ttftSeconds && { ttftSeconds }),
      ...(tpotSeconds && { tpotSeconds }),
      ...(e2eSeconds && { e2eSeconds }),
    };
    return {
      name,
      count: this.#count,
      arrivalSeconds: this.#arrivalSeconds.slice(0, this.#count),
      promptTokens: this.#promptTokens.slice(0, this.#count),
      outputTokens: this.#outputTokens.slice(0, this.#count),
      ...(priority && { priority: Int32Array.from(priority) }),
      ...(Object.keys(slos).length > 0 && { slos }),
      ...(this.#blockTokens > 0 && {
        prefixHashes: {
          blockTokens: this.#blockTokens,
          starts: Int32Array.from(this.#hashStarts),
          hashes: Int32Array.from(this.#hashes),
        },
      }),
    };
  }

  /** A column with its gaps filled, if a request has it. */
  #optionalColumn(name: OptionalColumn): Float64Array | undefined {
    const values = this.#optional.get(name);
    return values &&
      Float64Array.from({ length: this.#count }, (_, i) => values[i] ?? OPTIONAL_COLUMNS[name]);
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
