/**
 * From the state of the system to a number per decision.
 *
 * @module
 */
import { SystemMetrics } from "../metrics/mod.ts";
import type { BatchRecord, ClusterView, SimulationObserver } from "../simulator/mod.ts";
import { JobSeconds } from "./job_seconds.ts";
import type { RewardBreakdown } from "./reward_breakdown.ts";
import { REWARD_TERMS } from "./reward_breakdown.ts";
import {
  absoluteScore,
  actionBalance,
  efficiencyDeviation,
  extremeImbalance,
  latencyThresholdPenalty,
  loadImbalance,
  logisticLatencyPenalty,
  populationStd,
  relativeChange,
  squashReward,
} from "./reward_formulas.ts";
import { type RequestCredit, RequestLedger } from "./request_ledger.ts";
import type { RewardConfig } from "./reward_schema.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Optional parts of a {@linkcode RewardCalculator}. */
export interface RewardCalculatorOptions {
  /**
   * Time constant in seconds of a discount per second, applied inside the intervals of mode
   * `sojourn`; leave out when discounting per decision.
   */
  readonly discountTauSeconds?: number;
}

/** How an episode's rewards differ from the configured ones (a stage of a curriculum). */
export interface RewardScales {
  /** Multiplies `latencyThresholdSeconds`, > 0. */
  readonly latencyThresholdScale: number;
  /** Multiplies rewards below 0, > 0. */
  readonly rewardPenaltyScale: number;
}

/**
 * Computes the reward that a decision earned, when the next one is due. It watches the run
 * (register it as an observer of the simulator).
 *
 * With tp and lat the throughput and mean latency of the configured scope:
 * - delta: d_tp - w_lat d_lat - balance - threshold
 * - instant: tp - w_lat lat - balance - threshold
 * - hybrid: w_abs (tp / target - alpha lat / threshold)
 *   + w_delta (beta rel(tp) - gamma rel(lat)) - balance - kappa / (1 + e^(-(lat - threshold) / sigma)),
 *   where rel(x) = (x - ema) / ema and the average already contains x
 * - sojourn: minus the job-seconds since the last decision
 * - request: the accounts of the requests completed since the last decision, summed; each belongs
 *   to the decision that routed it, see {@linkcode RewardCalculator.credits}
 *
 * Terms that only the original's code has (deviation of the load, extreme imbalance, efficiency, action
 * balance) weigh nothing unless configured. Two of its terms are left out: a bonus drawn at random
 * from a Beta distribution, which is noise to a learner, and a trend of a history that it fills with
 * something else in every revision.
 *
 * Changes are measured from the first decision at which some request has completed; until then
 * they are 0, so that no run begins with a jump. Replicas that cannot be chosen do not count in loads
 * and shares of KV blocks. Source: spec/scheduler.md sections 0 and 6.
 *
 * @example Minus the job-seconds of a run, interval by interval
 * ```ts
 * import { RewardCalculator, rewardSchema } from "@signalbox/signalbox/reward";
 * import { buildCluster, clusterSchema, Simulator } from "@signalbox/signalbox/simulator";
 * import assert from "node:assert/strict";
 *
 * const calculator = new RewardCalculator(rewardSchema.parse({ mode: "sojourn" }));
 * const workload = {
 *   name: "one request",
 *   count: 1,
 *   arrivalSeconds: Float64Array.of(0),
 *   promptTokens: Int32Array.of(100),
 *   outputTokens: Int32Array.of(10),
 * };
 * const replicas = buildCluster(clusterSchema.parse({}));
 * const simulator = new Simulator(workload, replicas, { observers: [calculator] });
 * calculator.reset(workload.arrivalSeconds);
 * const { endSeconds } = simulator.run(() => 0);
 * assert.equal(calculator.evaluate(endSeconds, simulator.view).reward, -endSeconds);
 * ```
 */
export class RewardCalculator implements SimulationObserver {
  /** Takes in a stage execution; absent unless the mode is `request`. */
  readonly onBatchStageEnd?: (record: BatchRecord) => void;
  readonly #baseConfig: RewardConfig;
  readonly #metrics: SystemMetrics;
  readonly #jobs: JobSeconds;
  readonly #ledger: RequestLedger | undefined;
  #config: RewardConfig;
  #penaltyScale = 1;
  #credits: readonly RequestCredit[] = [];
  #lastThroughput: number | undefined;
  #lastLatencySeconds = 0;
  #throughputEma = 0;
  #latencyEmaSeconds = 0;
  /** Replicas chosen last, oldest first. */
  #actions: number[] = [];

  /** A calculator whose run has not begun; call {@linkcode RewardCalculator.reset} first. */
  constructor(config: RewardConfig, options: RewardCalculatorOptions = {}) {
    this.#baseConfig = config;
    this.#config = config;
    this.#metrics = new SystemMetrics(config.metrics);
    this.#jobs = new JobSeconds(options.discountTauSeconds);
    if (config.mode === "request") {
      const ledger = new RequestLedger(config);
      this.#ledger = ledger;
      this.onBatchStageEnd = (record) => ledger.onBatchStageEnd(record);
    }
  }

  /**
   * Forgets everything and begins an episode.
   *
   * @param arrivalSeconds Arrival time of every request of the workload; kept, not copied.
   * @param scales How this episode differs from the configuration; not at all when left out.
   */
  reset(arrivalSeconds: ArrayLike<number>, scales?: RewardScales): void {
    const { latencyThresholdScale = 1, rewardPenaltyScale = 1 } = scales ?? {};
    const latencyThresholdSeconds = latencyThresholdScale *
      this.#baseConfig.latencyThresholdSeconds;
    this.#config = { ...this.#baseConfig, latencyThresholdSeconds };
    this.#penaltyScale = rewardPenaltyScale;
    this.#metrics.reset(arrivalSeconds);
    this.#jobs.reset(arrivalSeconds);
    this.#ledger?.reset(arrivalSeconds);
    this.#credits = [];
    this.#lastThroughput = undefined;
    this.#lastLatencySeconds = 0;
    this.#throughputEma = 0;
    this.#latencyEmaSeconds = 0;
    this.#actions = [];
  }

  /** Takes in that a request was handed to a replica. */
  onRouted(request: number, replica: number, nowSeconds: number): void {
    this.#ledger?.onRouted(request, replica, nowSeconds);
    if (this.#config.actionBalanceWeight === 0) return;
    this.#actions.push(replica);
    if (this.#actions.length > this.#config.actionBalanceWindow) this.#actions.shift();
  }

  /** Takes in that a request lost its replica. */
  onRequeued(request: number, replica: number, nowSeconds: number): void {
    this.#ledger?.onRequeued(request, replica, nowSeconds);
  }

  /** Takes in a request's first token. */
  onFirstToken(request: number, replica: number, nowSeconds: number): void {
    this.#ledger?.onFirstToken(request, replica, nowSeconds);
  }

  /** Takes in a request's completion. */
  onCompleted(request: number, replica: number, nowSeconds: number): void {
    this.#metrics.onCompleted(request, replica, nowSeconds);
    this.#jobs.onCompleted(request, replica, nowSeconds);
    this.#ledger?.onCompleted(request, replica, nowSeconds);
  }

  /**
   * Mode `request`: the accounts behind the reward computed last, in order of completion; empty in
   * every other mode.
   */
  get credits(): readonly RequestCredit[] {
    return this.#credits;
  }

  /**
   * The reward of everything since the last call.
   *
   * @param nowSeconds Simulated time, not before the latest event.
   * @param view The cluster now.
   * @param options.isOver The run is over: in mode `request`, accounts of requests that can never
   * complete are closed.
   */
  evaluate(
    nowSeconds: number,
    view: ClusterView,
    { isOver = false }: { readonly isOver?: boolean } = {},
  ): RewardBreakdown {
    if (isOver) this.#ledger?.closeAll(nowSeconds);
    const config = this.#config;
    const throughput = this.#metrics.throughput(nowSeconds);
    const latencySeconds = this.#metrics.meanLatencySeconds(nowSeconds);
    const loads = replicaLoads(view, config.loadBalanceOn);
    const parts = emptyBreakdown();
    parts.throughput = throughput;
    parts.latencySeconds = latencySeconds;
    parts.loadImbalance = loadImbalance(loads, config.loadBalanceMeasure);
    parts.jobSeconds = this.#jobs.take(nowSeconds);
    const change = this.#takeChange(throughput, latencySeconds);
    parts.throughputEma = this.#throughputEma;
    parts.latencyEmaSeconds = this.#latencyEmaSeconds;
    switch (config.mode) {
      case "delta":
        parts.throughputTerm = change.throughput;
        parts.latencyTerm = minus(config.latencyWeight * change.latencySeconds);
        this.#addBalanceAndThreshold(parts, view);
        break;
      case "instant":
        parts.throughputTerm = throughput;
        parts.latencyTerm = minus(config.latencyWeight * latencySeconds);
        this.#addBalanceAndThreshold(parts, view);
        break;
      case "hybrid":
        parts.absoluteTerm = config.absoluteWeight *
          absoluteScore(throughput, latencySeconds, config);
        parts.deltaTerm = config.deltaWeight *
          (config.beta * change.relativeThroughput - config.gamma * change.relativeLatency);
        parts.loadBalanceTerm = minus(config.loadBalanceWeight * parts.loadImbalance);
        parts.loadStdTerm = minus(config.loadStdWeight * populationStd(loads));
        parts.logisticTerm = -logisticLatencyPenalty(latencySeconds, config);
        parts.extremeImbalanceTerm = minus(
          config.extremeImbalanceWeight * extremeImbalance(loads),
        );
        parts.efficiencyTerm = this.#efficiencyTerm(throughput, latencySeconds);
        this.#addActionBalance(parts, view);
        break;
      case "sojourn":
        parts.sojournTerm = minus(parts.jobSeconds);
        break;
      case "request":
        this.#credits = this.#ledger!.takeCredits().map((credit) => ({
          ...credit,
          reward: this.#finish(credit.reward),
        }));
        for (const { reward } of this.#credits) parts.requestTerm += reward;
        break;
    }
    for (const term of REWARD_TERMS) parts.rawReward += parts[term];
    // In mode request every account was finished by itself.
    parts.reward = config.mode === "request" ? parts.rawReward : this.#finish(parts.rawReward);
    return parts;
  }

  /** What the agent gets for a sum of terms. */
  #finish(rawReward: number): number {
    const reward = squashReward(rawReward, this.#config.squash, this.#config.mode);
    return reward < 0 ? this.#penaltyScale * reward : reward;
  }

  #addBalanceAndThreshold(parts: Mutable<RewardBreakdown>, view: ClusterView): void {
    const config = this.#config;
    parts.utilizationRangeTerm = minus(config.utilizationRangeWeight * utilizationRange(view));
    parts.loadBalanceTerm = minus(config.loadBalanceWeight * parts.loadImbalance);
    const penalty = latencyThresholdPenalty(
      parts.latencySeconds,
      config.latencyThresholdSeconds,
      config.latencyPenaltyScale,
    );
    parts.thresholdTerm = minus(penalty);
    this.#addActionBalance(parts, view);
  }

  #efficiencyTerm(throughput: number, latencySeconds: number): number {
    const { inefficiencyWeight, overProvisionWeight } = this.#config;
    // Nothing has completed yet: no efficiency to speak of.
    if (this.#metrics.completedCount === 0) return 0;
    const { shortfall, excess } = efficiencyDeviation(throughput, latencySeconds, this.#config);
    return minus(inefficiencyWeight * shortfall + overProvisionWeight * excess);
  }

  #addActionBalance(parts: Mutable<RewardBreakdown>, view: ClusterView): void {
    const { actionBalanceWeight } = this.#config;
    if (actionBalanceWeight === 0) return;
    const counts = new Array<number>(view.replicaCount).fill(0);
    for (const replica of this.#actions) counts[replica]!++;
    parts.actionBalanceTerm = actionBalanceWeight * actionBalance(counts);
  }

  /** Changes since the last decision, absolute and relative to the averages; all 0 at first. */
  #takeChange(throughput: number, latencySeconds: number): MetricsChange {
    if (this.#metrics.completedCount === 0) return NO_CHANGE;
    const last = this.#lastThroughput;
    const lastLatencySeconds = this.#lastLatencySeconds;
    this.#lastThroughput = throughput;
    this.#lastLatencySeconds = latencySeconds;
    if (last === undefined) {
      this.#throughputEma = throughput;
      this.#latencyEmaSeconds = latencySeconds;
      return NO_CHANGE;
    }
    const { emaAlpha } = this.#config;
    this.#throughputEma += emaAlpha * (throughput - this.#throughputEma);
    this.#latencyEmaSeconds += emaAlpha * (latencySeconds - this.#latencyEmaSeconds);
    return {
      throughput: throughput - last,
      latencySeconds: latencySeconds - lastLatencySeconds,
      relativeThroughput: relativeChange(throughput, this.#throughputEma),
      relativeLatency: relativeChange(latencySeconds, this.#latencyEmaSeconds),
    };
  }
}

/** How system metrics moved since the last decision. */
interface MetricsChange {
  readonly throughput: number;
  readonly latencySeconds: number;
  readonly relativeThroughput: number;
  readonly relativeLatency: number;
}

const NO_CHANGE: MetricsChange = {
  throughput: 0,
  latencySeconds: 0,
  relativeThroughput: 0,
  relativeLatency: 0,
};

function emptyBreakdown(): Mutable<RewardBreakdown> {
  return {
    reward: 0,
    rawReward: 0,
    throughput: 0,
    latencySeconds: 0,
    throughputEma: 0,
    latencyEmaSeconds: 0,
    loadImbalance: 0,
    jobSeconds: 0,
    throughputTerm: 0,
    latencyTerm: 0,
    utilizationRangeTerm: 0,
    loadBalanceTerm: 0,
    thresholdTerm: 0,
    absoluteTerm: 0,
    deltaTerm: 0,
    loadStdTerm: 0,
    logisticTerm: 0,
    extremeImbalanceTerm: 0,
    efficiencyTerm: 0,
    actionBalanceTerm: 0,
    sojournTerm: 0,
    requestTerm: 0,
  };
}

/** -x, but 0 for 0: a table of terms should not say -0 where there is nothing to punish. */
function minus(x: number): number {
  return 0 - x;
}

/** Requests at each replica that may be chosen. */
function replicaLoads(
  view: ClusterView,
  counted: RewardConfig["loadBalanceOn"],
): number[] {
  const loads: number[] = [];
  for (let r = 0; r < view.replicaCount; r++) {
    if (!view.isAvailable(r)) continue;
    loads.push(counted === "waiting" ? view.waitingCount(r) : view.outstandingCount(r));
  }
  return loads;
}

/** Largest minus smallest share of KV blocks in use. */
function utilizationRange(view: ClusterView): number {
  let smallest = Infinity;
  let largest = -Infinity;
  for (let r = 0; r < view.replicaCount; r++) {
    if (!view.isAvailable(r)) continue;
    const share = view.kvBlocksUsed(r) / Math.max(view.kvBlocksTotal(r), 1);
    smallest = Math.min(smallest, share);
    largest = Math.max(largest, share);
  }
  return largest >= smallest ? largest - smallest : 0;
}
