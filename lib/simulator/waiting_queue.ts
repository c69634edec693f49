/**
 * Requests that wait for KV blocks.
 *
 * @module
 */
import { END_OF_LIST, type RequestTable } from "./request_table.ts";

/** A way through the queue, from the front. */
interface Walk {
  /** Levels that have requests, the most urgent first. */
  readonly levels: Int32Array;
  /** Position among them. */
  index: number;
  /** Where it is, -1 past the end. */
  request: number;
  /** How many requests are before. */
  k: number;
}

/**
 * First-in first-out queue of request rows, one list per priority level, linked through the request
 * table, and a binary heap of the levels that have requests: with `n` such levels, adding and
 * removing are O(log n), and nothing is allocated.
 */
export class WaitingQueue {
  readonly #next: Int32Array;
  readonly #level: Int32Array | undefined;
  readonly #heads: Int32Array;
  readonly #tails: Int32Array;
  /** Levels whose lists are not empty, as a heap; the first `#usedLevels` entries. */
  readonly #levels: Int32Array;
  #usedLevels = 0;
  #length = 0;
  /** Where {@linkcode WaitingQueue.at} was last, until the queue changes. */
  #walk: Walk | undefined;

  /** @param requests Table whose `next` column links the queue. */
  constructor(requests: RequestTable) {
    this.#next = requests.next;
    this.#level = requests.level;
    this.#heads = new Int32Array(requests.levelCount).fill(END_OF_LIST);
    this.#tails = new Int32Array(requests.levelCount).fill(END_OF_LIST);
    this.#levels = new Int32Array(requests.levelCount);
  }

  /** Requests in the queue. */
  get length(): number {
    return this.#length;
  }

  /** First request of the most urgent level, -1 when the queue is empty. */
  peek(): number {
    return this.#usedLevels === 0 ? END_OF_LIST : this.#heads[this.#levels[0]!]!;
  }

  /**
   * The `k`-th request from the front, -1 past the end; O(k), but a walk from the front to the end
   * is O(length).
   */
  at(k: number): number {
    if (k === 0) return this.peek();
    if (this.#walk === undefined || k < this.#walk.k) {
      const levels = this.#levels.slice(0, this.#usedLevels).sort();
      this.#walk = { levels, index: 0, request: this.peek(), k: 0 };
    }
    const walk = this.#walk;
    while (walk.k < k && walk.request !== END_OF_LIST) {
      walk.k++;
      walk.request = this.#next[walk.request]!;
      if (walk.request === END_OF_LIST && ++walk.index < walk.levels.length) {
        walk.request = this.#heads[walk.levels[walk.index]!]!;
      }
    }
    return walk.request;
  }

  /** Adds a request behind those of its level. */
  pushBack(request: number): void {
    const level = this.#level === undefined ? 0 : this.#level[request]!;
    const tail = this.#tails[level]!;
    this.#next[request] = END_OF_LIST;
    if (tail === END_OF_LIST) {
      this.#heads[level] = request;
      this.#addLevel(level);
    } else {
      this.#next[tail] = request;
    }
    this.#tails[level] = request;
    this.#length++;
    this.#walk = undefined;
  }

  /** Puts a preempted request before those of its level. */
  pushFront(request: number): void {
    const level = this.#level === undefined ? 0 : this.#level[request]!;
    const head = this.#heads[level]!;
    this.#next[request] = head;
    this.#heads[level] = request;
    if (head === END_OF_LIST) {
      this.#tails[level] = request;
      this.#addLevel(level);
    }
    this.#length++;
    this.#walk = undefined;
  }

  /** Removes and returns the request that {@linkcode WaitingQueue.peek} names, -1 when empty. */
  popFront(): number {
    const request = this.peek();
    if (request === END_OF_LIST) return END_OF_LIST;
    const level = this.#level === undefined ? 0 : this.#level[request]!;
    const next = this.#next[request]!;
    this.#heads[level] = next;
    if (next === END_OF_LIST) {
      this.#tails[level] = END_OF_LIST;
      this.#removeFirstLevel();
    }
    this.#length--;
    this.#walk = undefined;
    return request;
  }

  #addLevel(level: number): void {
    const levels = this.#levels;
    let position = this.#usedLevels++;
    for (let parent = (position - 1) >> 1; position > 0; parent = (position - 1) >> 1) {
      if (levels[parent]! < level) break;
      levels[position] = levels[parent]!;
      position = parent;
    }
    levels[position] = level;
  }

  #removeFirstLevel(): void {
    const levels = this.#levels;
    const size = --this.#usedLevels;
    const last = levels[size]!;
    let position = 0;
    for (let child = 1; child < size; child = 2 * position + 1) {
      if (child + 1 < size && levels[child + 1]! < levels[child]!) child++;
      if (levels[child]! > last) break;
      levels[position] = levels[child]!;
      position = child;
    }
    levels[position] = last;
  }
}
