/**
 * Requests that wait for KV blocks.
 *
 * @module
 */
import { END_OF_LIST, type RequestTable } from "./request_table.ts";

/**
 * First-in first-out queue of request rows, one list per priority level, linked through the request
 * table: every operation is O(number of levels) and nothing is allocated.
 */
export class WaitingQueue {
  readonly #next: Int32Array;
  readonly #level: Int32Array | undefined;
  readonly #heads: Int32Array;
  readonly #tails: Int32Array;
  #length = 0;

  /** @param requests Table whose `next` column links the queue. */
  constructor(requests: RequestTable) {
    this.#next = requests.next;
    this.#level = requests.level;
    this.#heads = new Int32Array(requests.levelCount).fill(END_OF_LIST);
    this.#tails = new Int32Array(requests.levelCount).fill(END_OF_LIST);
  }

  /** Requests in the queue. */
  get length(): number {
    return this.#length;
  }

  /** First request of the most urgent level, -1 when the queue is empty. */
  peek(): number {
    const heads = this.#heads;
    for (let level = 0; level < heads.length; level++) {
      if (heads[level] !== END_OF_LIST) return heads[level]!;
    }
    return END_OF_LIST;
  }

  /** The `k`-th request from the front, -1 past the end; O(k). */
  at(k: number): number {
    let rest = k;
    for (const head of this.#heads) {
      for (let request = head; request !== END_OF_LIST; request = this.#next[request]!) {
        if (rest-- === 0) return request;
      }
    }
    return END_OF_LIST;
  }

  /** Adds a request behind those of its level. */
  pushBack(request: number): void {
    const level = this.#level === undefined ? 0 : this.#level[request]!;
    const tail = this.#tails[level]!;
    this.#next[request] = END_OF_LIST;
    if (tail === END_OF_LIST) this.#heads[level] = request;
    else this.#next[tail] = request;
    this.#tails[level] = request;
    this.#length++;
  }

  /** Puts a preempted request before those of its level. */
  pushFront(request: number): void {
    const level = this.#level === undefined ? 0 : this.#level[request]!;
    const head = this.#heads[level]!;
    this.#next[request] = head;
    this.#heads[level] = request;
    if (head === END_OF_LIST) this.#tails[level] = request;
    this.#length++;
  }

  /** Removes and returns the request that {@linkcode WaitingQueue.peek} names, -1 when empty. */
  popFront(): number {
    const request = this.peek();
    if (request === END_OF_LIST) return END_OF_LIST;
    const level = this.#level === undefined ? 0 : this.#level[request]!;
    const next = this.#next[request]!;
    this.#heads[level] = next;
    if (next === END_OF_LIST) this.#tails[level] = END_OF_LIST;
    this.#length--;
    return request;
  }
}
