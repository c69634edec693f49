/**
 * Each request's own outcome, for the decision that routed it.
 *
 * @module
 */
import type { BatchRecord, SimulationObserver } from "../simulator/mod.ts";
import type { RewardConfig } from "./reward_schema.ts";

/** What the parts of a request's account weigh. */
export type RequestWeights = Pick<
  RewardConfig,
  "externalityWeight" | "occupancyWeight" | "ttftWeight" | "ttftExternalityWeight"
>;

/** The reward of one completed request. */
export interface RequestCredit {
  /** Row of the request in the workload. */
  readonly request: number;
  /** See {@linkcode RequestLedger}. */
  readonly reward: number;
  /** Its end-to-end latency in seconds. */
  readonly latencySeconds: number;
  /** Delay it caused other requests of its replica, summed over them, in seconds. */
  readonly externalitySeconds: number;
  /** Its time to first token in seconds; that of its whole stay when it never had one. */
  readonly ttftSeconds: number;
  /** The part of the delay it caused that fell on requests waiting for their first token. */
  readonly ttftExternalitySeconds: number;
  /** Integral of the requests at its replica, itself included, over its own stay there. */
  readonly jobSeconds: number;
}

/**
 * Keeps the account of every request in the system and closes it on completion:
 *
 * ```text
 * r_i = -(latency_i + w_ext externality_i + w_occ jobSeconds_i
 *         + w_ttft (ttft_i + w_ttftExt ttftExternality_i))
 * ```
 *
 * where
 *
 * ```text
 * externality_i = sum over the stage executions that i takes part in of
 *                 (duration - fixed) (tokens of i / tokens of the batch) (others at that replica)
 * ```
 *
 * and ttftExternality_i is the same with only those others that have no token yet. `fixed` is the
 * duration that an iteration has anyway; a router cannot know it, so the shortest execution seen so
 * far on that replica stands for it. jobSeconds_i, the integral of the requests at the chosen
 * replica over the stay of i there, is the cruder measure of the same thing. Latency alone would be
 * selfish: it sends long prompts where they hurt others most. w_ttft trades mean latency for early
 * first tokens.
 *
 * Source: spec/practice.md section 9 (w_ext 1, or w_ext 0 and w_occ 0.03).
 *
 * @example A request served alone delays nobody
 * ```ts
 * import { RequestLedger, rewardSchema } from "@signalbox/signalbox/reward";
 * import assert from "node:assert/strict";
 *
 * const ledger = new RequestLedger(rewardSchema.parse({ ttftWeight: 2 }));
 * ledger.reset([1]);
 * ledger.onRouted(0, 0, 1);
 * ledger.onFirstToken(0, 0, 1.5);
 * ledger.onCompleted(0, 0, 4);
 * assert.deepEqual(ledger.takeCredits(), [{
 *   request: 0,
 *   reward: -(3 + 2 * 0.5),
 *   latencySeconds: 3,
 *   externalitySeconds: 0,
 *   ttftSeconds: 0.5,
 *   ttftExternalitySeconds: 0,
 *   jobSeconds: 3,
 * }]);
 * ```
 */
export class RequestLedger implements SimulationObserver {
  readonly #weights: RequestWeights;
  #arrivalSeconds: ArrayLike<number> = [];
  #externalitySeconds = new Float64Array(0);
  #ttftExternalitySeconds = new Float64Array(0);
  /** NaN until the first token. */
  #firstTokenSeconds = new Float64Array(0);
  #jobSeconds = new Float64Array(0);
  #isOpen = new Uint8Array(0);
  /** Replica of every request, -1 where it has none. */
  #replicas = new Int32Array(0);
  #accounts: ReplicaAccount[] = [];
  #credits: RequestCredit[] = [];

  /** A ledger whose run has not begun; call {@linkcode RequestLedger.reset} first. */
  constructor(weights: RequestWeights) {
    this.#weights = weights;
  }

  /**
   * Forgets everything and begins an episode.
   *
   * @param arrivalSeconds Arrival time of every request of the workload; kept, not copied.
   */
  reset(arrivalSeconds: ArrayLike<number>): void {
    const count = arrivalSeconds.length;
    this.#arrivalSeconds = arrivalSeconds;
    this.#externalitySeconds = new Float64Array(count);
    this.#ttftExternalitySeconds = new Float64Array(count);
    this.#firstTokenSeconds = new Float64Array(count).fill(NaN);
    this.#jobSeconds = new Float64Array(count);
    this.#isOpen = new Uint8Array(count);
    this.#replicas = new Int32Array(count).fill(-1);
    this.#accounts = [];
    this.#credits = [];
  }

  /** Opens a request's account, or goes on with it when the request is routed again. */
  onRouted(request: number, replica: number, nowSeconds: number): void {
    this.#isOpen[request] = 1;
    this.#replicas[request] = replica;
    const account = this.#account(replica);
    integrate(account, nowSeconds);
    account.outstanding++;
    if (this.#awaitsFirstToken(request)) account.awaitingFirstToken++;
    // What the integral grows by from here is the request's.
    this.#jobSeconds[request]! -= account.jobSeconds;
  }

  /** Takes in that a request lost its replica; its account stays open. */
  onRequeued(request: number, _replica: number, nowSeconds: number): void {
    this.#leave(request, nowSeconds);
  }

  /** Takes in a request's first token. */
  onFirstToken(request: number, replica: number, nowSeconds: number): void {
    this.#account(replica).awaitingFirstToken--;
    this.#firstTokenSeconds[request] = nowSeconds;
  }

  /** Shares the delay of a stage execution among the requests that took part. */
  onBatchStageEnd(record: BatchRecord): void {
    const { replica, requestCount, requests, tokens } = record;
    const account = this.#account(replica);
    const seconds = record.endSeconds - record.startSeconds;
    account.shortestSeconds = Math.min(seconds, account.shortestSeconds);
    let batchTokens = 0;
    for (let i = 0; i < requestCount; i++) batchTokens += tokens[i]!;
    const { outstanding, awaitingFirstToken, shortestSeconds } = account;
    const delaySeconds = seconds - shortestSeconds;
    const secondsPerToken = (delaySeconds * (outstanding - 1)) / batchTokens;
    for (let i = 0; i < requestCount; i++) {
      const request = requests[i]!;
      const awaiting = awaitingFirstToken - (this.#awaitsFirstToken(request) ? 1 : 0);
      this.#externalitySeconds[request]! += secondsPerToken * tokens[i]!;
      this.#ttftExternalitySeconds[request]! += delaySeconds * awaiting * tokens[i]! / batchTokens;
    }
  }

  /** Closes a request's account. */
  onCompleted(request: number, _replica: number, nowSeconds: number): void {
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
    if (this.#replicas[request] !== -1) this.#leave(request, nowSeconds);
    this.#isOpen[request] = 0;
    const arrivalSeconds = this.#arrivalSeconds[request]!;
    const latencySeconds = nowSeconds - arrivalSeconds;
    const ttftSeconds = this.#awaitsFirstToken(request)
      ? latencySeconds
      : this.#firstTokenSeconds[request]! - arrivalSeconds;
    const externalitySeconds = this.#externalitySeconds[request]!;
    const ttftExternalitySeconds = this.#ttftExternalitySeconds[request]!;
    const jobSeconds = this.#jobSeconds[request]!;
    const { externalityWeight, occupancyWeight, ttftWeight, ttftExternalityWeight } = this.#weights;
    const reward = -(latencySeconds + externalityWeight * externalitySeconds +
      occupancyWeight * jobSeconds +
      ttftWeight * (ttftSeconds + ttftExternalityWeight * ttftExternalitySeconds));
    this.#credits.push({
      request,
      reward,
      latencySeconds,
      externalitySeconds,
      ttftSeconds,
      ttftExternalitySeconds,
      jobSeconds,
    });
  }

  /** Takes a request off its replica. */
  #leave(request: number, nowSeconds: number): void {
    const account = this.#account(this.#replicas[request]!);
    integrate(account, nowSeconds);
    account.outstanding--;
    if (this.#awaitsFirstToken(request)) account.awaitingFirstToken--;
    this.#jobSeconds[request]! += account.jobSeconds;
    this.#replicas[request] = -1;
  }

  #awaitsFirstToken(request: number): boolean {
    return Number.isNaN(this.#firstTokenSeconds[request]);
  }

  #account(replica: number): ReplicaAccount {
    return this.#accounts[replica] ??= {
      outstanding: 0,
      awaitingFirstToken: 0,
      shortestSeconds: Infinity,
      jobSeconds: 0,
      latestSeconds: 0,
    };
  }
}

/** What is known of a replica. */
interface ReplicaAccount {
  /** Requests there. */
  outstanding: number;
  /** Those of them without a token. */
  awaitingFirstToken: number;
  /** Shortest stage execution so far. */
  shortestSeconds: number;
  /** Integral of `outstanding` up to `latestSeconds`. */
  jobSeconds: number;
  latestSeconds: number;
}

/** Brings the integral up to a time. */
function integrate(account: ReplicaAccount, nowSeconds: number): void {
  account.jobSeconds += account.outstanding * (nowSeconds - account.latestSeconds);
  account.latestSeconds = nowSeconds;
}
