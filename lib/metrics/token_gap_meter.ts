/**
 * Time between output tokens.
 *
 * @module
 */
import type { SimulationObserver } from "../simulator/mod.ts";
import { LatencyDistribution, type LatencyDistributionOptions } from "./latency_distribution.ts";

/**
 * Observer that collects the time between every two consecutive output tokens of a request: what its
 * reader waits. Waiting for other prompts, for a preempted request's recomputation and after a
 * failure are part of it, unlike of the mean time per output token (TPOT), which hides them.
 *
 * Memory: a double a request, and a {@linkcode LatencyDistribution}.
 *
 * Source: spec/simulator.md section 10, token metrics.
 *
 * @example
 * ```ts
 * import { TokenGapMeter } from "@signalbox/signalbox/metrics";
 * import { buildCluster, clusterSchema, Simulator } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const workload = {
 *   name: "a reader is interrupted by a long prompt",
 *   count: 2,
 *   arrivalSeconds: Float64Array.of(0, 0.1),
 *   promptTokens: Int32Array.of(100, 2000),
 *   outputTokens: Int32Array.of(50, 1),
 * };
 * const meter = new TokenGapMeter(workload.count);
 * new Simulator(workload, buildCluster(clusterSchema.parse({})), { observers: [meter] })
 *   .run(() => 0);
 * assert.equal(meter.gaps.count, 49);
 * assert.ok(meter.gaps.quantile(1) > 2 * meter.gaps.quantile(0.5));
 * ```
 */
export class TokenGapMeter implements SimulationObserver {
  /** The gaps so far, in seconds. */
  readonly gaps: LatencyDistribution;
  readonly #lastSeconds: Float64Array;

  /**
   * Nothing measured yet.
   *
   * @param requestCount Requests of the workload.
   */
  constructor(requestCount: number, options: LatencyDistributionOptions = {}) {
    this.gaps = new LatencyDistribution(options);
    this.#lastSeconds = new Float64Array(requestCount).fill(NaN);
  }

  /** Takes the gaps that end now. Neighbours in a batch mostly have the same, and are added at once. */
  onTokens(
    requests: ArrayLike<number>,
    count: number,
    _replica: number,
    nowSeconds: number,
  ): void {
    const last = this.#lastSeconds;
    let gap = NaN;
    let times = 0;
    for (let i = 0; i < count; i++) {
      const request = requests[i]!;
      const own = nowSeconds - last[request]!;
      last[request] = nowSeconds;
      if (own === gap) {
        times++;
      } else {
        if (times > 0) this.gaps.add(gap, times);
        gap = own;
        times = Number.isNaN(own) ? 0 : 1;
      }
    }
    if (times > 0) this.gaps.add(gap, times);
  }
}
