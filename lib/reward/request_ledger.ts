/**
 * Each request's own outcome, for the decision that routed it.
 *
 * @module
 */
import type { BatchRecord, SimulationObserver } from "../simulator/mod.ts";
import type { RewardConfig } from "./reward_schema.ts";

/** The reward of one completed request. */
export interface RequestCredit {
  /** Row of the request in the workload. */
  readonly request: number;
  /** -(latencySeconds + externalityWeight * externalitySeconds). */
  readonly reward: number;
  /** Its end-to-end latency in seconds. */
  readonly latencySeconds: number;
  /** Delay it caused other requests of its replica, summed over them, in seconds. */
  readonly externalitySeconds: number;
}

/**
 * Keeps the account of every request in the system and closes it on completion:
 * r_i = -(latency_i + w * externality_i), where
 *
 * externality_i = sum over the stage executions that i takes part in of
 * (duration - fixed) * (tokens of i / tokens of the batch) * (other requests at that replica).
 *
 * `fixed` is the duration that an iteration has anyway; a router cannot know it, so the shortest
 * execution seen so far on that replica stands for it. Latency alone would be selfish: it sends
 * long prompts where they hurt others most. Source: spec/practice.md section 9.
 *
 * @example A request served alone delays nobody
 * ```ts
 * import { RequestLedger } from "@signalbox/signalbox/reward";
 * import assert from "node:assert/strict";
 *
 * const ledger = new RequestLedger({ externalityWeight: 1 });
 * ledger.reset([1]);
 * ledger.onRouted(0, 0, 1);
 * ledger.onCompleted(0, 0, 4);
 * assert.deepEqual(ledger.takeCredits(), [
 *   { request: 0, reward: -3, latencySeconds: 3, externalitySeconds: 0 },
 * ]);
 * ```
 */
export class RequestLedger implements SimulationObserver {
  readonly #externalityWeight: number;
  #arrivalSeconds: ArrayLike<number> = [];
  #externalitySeconds = new Float64Array(0);
  #isOpen = new Uint8Array(0);
  #outstanding: number[] = [];
  #shortestSeconds: number[] = [];
  #credits: RequestCredit[] = [];

  /** A ledger whose run has not begun; call {@linkcode RequestLedger.reset} first. */
  constructor({ externalityWeight }: Pick<RewardConfig, "externalityWeight">) {
    this.#externalityWeight = externalityWeight;
  }

  /**
   * Forgets everything and begins an episode.
   *
   * @param arrivalSeconds Arrival time of every request of the workload; kept, not copied.
   */
  reset(arrivalSeconds: ArrayLike<number>): void {
    this.#arrivalSeconds = arrivalSeconds;
    this.#externalitySeconds = new Float64Array(arrivalSeconds.length);
    this.#isOpen = new Uint8Array(arrivalSeconds.length);
    this.#outstanding = [];
    this.#shortestSeconds = [];
    this.#credits = [];
  }

  /** Opens a request's account, or goes on with it when the request is routed again. */
  onRouted(request: number, replica: number, _nowSeconds: number): void {
    this.#isOpen[request] = 1;
    this.#outstanding[replica] = (this.#outstanding[replica] ?? 0) + 1;
  }

  /** Takes in that a request lost its replica; its account stays open. */
  onRequeued(_request: number, replica: number, _nowSeconds: number): void {
    this.#outstanding[replica]!--;
  }

  /** Shares the delay of a stage execution among the requests that took part. */
  onBatchStageEnd(record: BatchRecord): void {
    const { replica, requestCount, requests, tokens } = record;
    const seconds = record.endSeconds - record.startSeconds;
    const fixedSeconds = Math.min(seconds, this.#shortestSeconds[replica] ?? Infinity);
    this.#shortestSeconds[replica] = fixedSeconds;
    let batchTokens = 0;
    for (let i = 0; i < requestCount; i++) batchTokens += tokens[i]!;
    const others = this.#outstanding[replica]! - 1;
    const secondsPerToken = ((seconds - fixedSeconds) * others) / batchTokens;
    for (let i = 0; i < requestCount; i++) {
      this.#externalitySeconds[requests[i]!]! += secondsPerToken * tokens[i]!;
    }
  }

  /** Closes a request's account. */
  onCompleted(request: number, replica: number, nowSeconds: number): void {
    this.#outstanding[replica]!--;
    this.#close(request, nowSeconds);
  }

  /**
   * Closes every account that is still open, in order of request, as if the requests completed now:
   * for runs that end with requests nobody can serve.
   */
  closeAll(nowSeconds: number): void {
    this.#isOpen.forEach((isOpen, request) => {
      if (isOpen === 1) this.#close(request, nowSeconds);
    });
  }

  /** Accounts closed since the last call, in order of completion. */
  takeCredits(): RequestCredit[] {
    const credits = this.#credits;
    this.#credits = [];
    return credits;
  }

  #close(request: number, nowSeconds: number): void {
    this.#isOpen[request] = 0;
    const latencySeconds = nowSeconds - this.#arrivalSeconds[request]!;
    const externalitySeconds = this.#externalitySeconds[request]!;
    const reward = -(latencySeconds + this.#externalityWeight * externalitySeconds);
    this.#credits.push({ request, reward, latencySeconds, externalitySeconds });
  }
}
