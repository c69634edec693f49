/**
 * The area under the number of jobs in the system.
 *
 * @module
 */
import type { SimulationObserver } from "../simulator/mod.ts";

/**
 * Integrates the number of requests in the system, from arrival to completion wherever they are,
 * over simulated time, between calls of
 * {@linkcode JobSeconds.take}: integral of e^(-(s - t0) / tau) N(s) ds over [t0, t1].
 *
 * Without discount (tau infinite) the integrals of a run that ends empty sum to the total sojourn
 * time of all requests (Little's law), which is why minus this integral is a reward with a proof.
 * With it, each interval is discounted from its beginning, as a return with discount e^(-dt / tau)
 * per decision needs. Source: spec/practice.md section 4 (Park, Decima); section 9.
 *
 * @example Two requests, one of them gone after a second
 * ```ts
 * import { JobSeconds } from "@signalbox/signalbox/reward";
 * import assert from "node:assert/strict";
 *
 * const jobs = new JobSeconds();
 * jobs.reset([10, 10]);
 * jobs.onCompleted(0, 0, 11);
 * assert.equal(jobs.take(13), 2 * 1 + 1 * 2);
 * ```
 */
export class JobSeconds implements SimulationObserver {
  readonly #tauSeconds: number;
  #arrivalSeconds: ArrayLike<number> = [];
  #arrivedCount = 0;
  #completedCount = 0;
  #area = 0;
  #startSeconds = 0;
  #latestSeconds = 0;

  /**
   * An integral that has not begun.
   *
   * @param tauSeconds Time constant of the discount, > 0; no discount when left out.
   * @throws {RangeError} When it is not > 0.
   */
  constructor(tauSeconds = Infinity) {
    if (!(tauSeconds > 0)) {
      throw new RangeError(
        `Cannot integrate jobs: tauSeconds must be > 0, current value is ${tauSeconds}`,
      );
    }
    this.#tauSeconds = tauSeconds;
  }

  /**
   * Begins again with an empty system at time 0.
   *
   * @param arrivalSeconds Arrival time of every request, non-decreasing; kept, not copied.
   */
  reset(arrivalSeconds: ArrayLike<number>): void {
    this.#arrivalSeconds = arrivalSeconds;
    this.#arrivedCount = 0;
    this.#completedCount = 0;
    this.#area = 0;
    this.#startSeconds = 0;
    this.#latestSeconds = 0;
  }

  /** A request has gone. */
  onCompleted(_request: number, _replica: number, nowSeconds: number): void {
    this.#integrateTo(nowSeconds);
    this.#completedCount++;
  }

  /** The integral since the last call (or the beginning) up to `nowSeconds`, in job-seconds. */
  take(nowSeconds: number): number {
    this.#integrateTo(nowSeconds);
    const area = this.#area;
    this.#area = 0;
    this.#startSeconds = nowSeconds;
    return area;
  }

  /** Adds what has passed, split where requests arrived. */
  #integrateTo(nowSeconds: number): void {
    const arrivals = this.#arrivalSeconds;
    while (this.#arrivedCount < arrivals.length && arrivals[this.#arrivedCount]! <= nowSeconds) {
      this.#addPiece(arrivals[this.#arrivedCount]!);
      this.#arrivedCount++;
    }
    this.#addPiece(nowSeconds);
  }

  /** Adds the time up to `endSeconds`, during which the number of jobs did not change. */
  #addPiece(endSeconds: number): void {
    const begin = this.#latestSeconds - this.#startSeconds;
    const length = endSeconds - this.#latestSeconds;
    const tau = this.#tauSeconds;
    const weight = tau === Infinity
      ? length
      : -tau * Math.exp(-begin / tau) * Math.expm1(-length / tau);
    this.#area += (this.#arrivedCount - this.#completedCount) * weight;
    this.#latestSeconds = endSeconds;
  }
}
