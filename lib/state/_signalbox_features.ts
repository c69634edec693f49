/**
 * The project's own observation: the request to be routed, running as well as waiting work, averages
 * in time. Source: spec/scheduler.md appendix A3. Counts and times span decades, so they enter as
 * ln(1 + x).
 *
 * @module
 */
import type { ClusterView, RoutingDecision } from "../simulator/mod.ts";
import type { Features, FeatureSources } from "./_features.ts";
import type { StateConfig } from "./state_schema.ts";
import { TimeDecayedMean } from "./time_decayed_mean.ts";

const REPLICA_NAMES = [
  "outstanding_requests_log1p",
  "waiting_requests_log1p",
  "running_requests_log1p",
  "pending_prefill_tokens_log1p",
  "outstanding_output_tokens_log1p",
  "kv_used_fraction",
  "kv_headroom_fraction",
  "oldest_wait_seconds_log1p",
  "tbt_milliseconds_log1p",
  "latency_seconds_log1p",
  "ttft_seconds_log1p",
  "busy_stage_fraction",
  "available",
] as const;

const GLOBAL_NAMES = [
  "request_prompt_tokens_log1p",
  "request_output_tokens_log1p",
  "request_priority",
  "arrival_rate_5s_log1p",
  "arrival_rate_60s_log1p",
  "kv_used_fraction",
  "system_throughput_log1p",
  "average_latency_seconds_log1p",
  "average_ttft_seconds_log1p",
  "seconds_since_decision_log1p",
] as const;

/** Columns for the value function only. */
const CRITIC_REPLICA_NAMES = ["critic_outstanding_output_tokens_log1p"] as const;
const CRITIC_GLOBAL_NAMES = ["critic_request_output_tokens_log1p"] as const;

/** Time constants of the two arrival-rate averages. Source: spec/scheduler.md appendix A3. */
const FAST_RATE_SECONDS = 5;
const SLOW_RATE_SECONDS = 60;

/** System metrics at the last decision. */
interface SystemReading {
  readonly throughput: number;
  readonly latencySeconds: number;
  readonly ttftSeconds: number;
}

const NOTHING_READ: SystemReading = { throughput: 0, latencySeconds: 0, ttftSeconds: 0 };

/** Layout `signalbox`. */
export class SignalboxFeatures implements Features {
  readonly replicaNames: readonly string[];
  readonly globalNames: readonly string[];
  readonly criticReplicaSize: number;
  readonly criticGlobalSize: number;
  readonly loadFeatures: readonly number[];
  readonly #latencies: readonly TimeDecayedMean[];
  readonly #ttfts: readonly TimeDecayedMean[];
  readonly #outstandingOutputTokens: Float64Array;
  readonly #criticOutstandingOutputTokens: Float64Array;
  readonly #fastArrivals = new TimeDecayedMean(FAST_RATE_SECONDS);
  readonly #slowArrivals = new TimeDecayedMean(SLOW_RATE_SECONDS);
  #firstDecisionSeconds: number | null = null;
  #lastDecisionSeconds = 0;
  #sinceDecisionSeconds = 0;
  #system = NOTHING_READ;
  #sources: FeatureSources | undefined;

  constructor(config: StateConfig, replicaCount: number) {
    const criticReplicaNames = config.criticSeesOutputTokens ? CRITIC_REPLICA_NAMES : [];
    const criticGlobalNames = config.criticSeesOutputTokens ? CRITIC_GLOBAL_NAMES : [];
    this.replicaNames = [...REPLICA_NAMES, ...criticReplicaNames];
    this.globalNames = [...GLOBAL_NAMES, ...criticGlobalNames];
    this.criticReplicaSize = criticReplicaNames.length;
    this.criticGlobalSize = criticGlobalNames.length;
    const averages = (): TimeDecayedMean[] =>
      Array.from({ length: replicaCount }, () => new TimeDecayedMean(config.replicaEmaSeconds));
    this.loadFeatures = [REPLICA_NAMES.indexOf(`${config.loadCounts}_requests_log1p`)];
    this.#latencies = averages();
    this.#ttfts = averages();
    this.#outstandingOutputTokens = new Float64Array(replicaCount);
    this.#criticOutstandingOutputTokens = new Float64Array(replicaCount);
  }

  reset(sources: FeatureSources): void {
    this.#sources = sources;
    for (const mean of [...this.#latencies, ...this.#ttfts]) mean.clear();
    this.#outstandingOutputTokens.fill(0);
    this.#criticOutstandingOutputTokens.fill(0);
    this.#fastArrivals.clear();
    this.#slowArrivals.clear();
    this.#firstDecisionSeconds = null;
    this.#lastDecisionSeconds = 0;
    this.#sinceDecisionSeconds = 0;
    this.#system = NOTHING_READ;
  }

  onRouted(request: number, replica: number): void {
    this.#addOutputTokens(request, replica, 1);
  }

  onRequeued(request: number, replica: number): void {
    this.#addOutputTokens(request, replica, -1);
  }

  onFirstToken(request: number, replica: number, nowSeconds: number): void {
    const arrivalSeconds = this.#sources!.arrivalSeconds[request]!;
    this.#ttfts[replica]!.add(nowSeconds, nowSeconds - arrivalSeconds);
  }

  onCompleted(request: number, replica: number, nowSeconds: number): void {
    const { arrivalSeconds } = this.#sources!;
    this.#latencies[replica]!.add(nowSeconds, nowSeconds - arrivalSeconds[request]!);
    this.#addOutputTokens(request, replica, -1);
  }

  observe({ nowSeconds }: RoutingDecision): void {
    this.#sinceDecisionSeconds = this.#firstDecisionSeconds === null
      ? 0
      : nowSeconds - this.#lastDecisionSeconds;
    this.#firstDecisionSeconds ??= nowSeconds;
    this.#lastDecisionSeconds = nowSeconds;
    this.#fastArrivals.add(nowSeconds, 1);
    this.#slowArrivals.add(nowSeconds, 1);
    const { metrics } = this.#sources!;
    this.#system = {
      throughput: metrics.throughput(nowSeconds),
      latencySeconds: metrics.meanLatencySeconds(nowSeconds),
      ttftSeconds: metrics.meanTtftSeconds(nowSeconds),
    };
  }

  write(decision: RoutingDecision, out: Float32Array): void {
    const { request, view } = decision;
    const { decodeLengths, criticDecodeLengths } = this.#sources!;
    const { throughput, latencySeconds, ttftSeconds } = this.#system;
    let at = 0;
    let kvBlocksUsed = 0;
    let kvBlocksTotal = 0;
    for (let r = 0; r < this.#latencies.length; r++) {
      at = this.#writeReplica(decision, r, out, at);
      kvBlocksUsed += view.kvBlocksUsed(r);
      kvBlocksTotal += view.kvBlocksTotal(r);
    }
    out[at++] = Math.log1p(request.promptTokens);
    out[at++] = Math.log1p(decodeLengths.outputTokens(request.index));
    out[at++] = request.priority;
    out[at++] = Math.log1p(this.#arrivalRate(this.#fastArrivals, FAST_RATE_SECONDS));
    out[at++] = Math.log1p(this.#arrivalRate(this.#slowArrivals, SLOW_RATE_SECONDS));
    out[at++] = kvBlocksUsed / Math.max(kvBlocksTotal, 1);
    out[at++] = Math.log1p(throughput);
    out[at++] = Math.log1p(latencySeconds);
    out[at++] = Math.log1p(ttftSeconds);
    out[at++] = Math.log1p(this.#sinceDecisionSeconds);
    if (this.criticGlobalSize > 0) {
      out[at++] = Math.log1p(criticDecodeLengths.outputTokens(request.index));
    }
  }

  #writeReplica(
    { nowSeconds, request, view }: RoutingDecision,
    r: number,
    out: Float32Array,
    start: number,
  ): number {
    const oldest = view.waitingRequest(r, 0);
    const oldestWaitSeconds = oldest === undefined ? 0 : nowSeconds - oldest.arrivalSeconds;
    let at = start;
    out[at++] = Math.log1p(view.outstandingCount(r));
    out[at++] = Math.log1p(view.waitingCount(r));
    out[at++] = Math.log1p(view.runningCount(r));
    out[at++] = Math.log1p(view.pendingPrefillTokens(r));
    out[at++] = Math.log1p(this.#outstandingOutputTokens[r]!);
    out[at++] = view.kvBlocksUsed(r) / Math.max(view.kvBlocksTotal(r), 1);
    out[at++] = kvHeadroomFraction(view, r, request.promptTokens);
    out[at++] = Math.log1p(oldestWaitSeconds);
    out[at++] = Math.log1p(1000 * view.tbtEmaSeconds(r));
    out[at++] = Math.log1p(this.#latencies[r]!.value);
    out[at++] = Math.log1p(this.#ttfts[r]!.value);
    out[at++] = view.inFlightBatchCount(r) / view.stageCount(r);
    out[at++] = view.isAvailable(r) ? 1 : 0;
    if (this.criticReplicaSize > 0) {
      out[at++] = Math.log1p(this.#criticOutstandingOutputTokens[r]!);
    }
    return at;
  }

  /** Adds `sign` times a request's output tokens to what is outstanding at a replica. */
  #addOutputTokens(request: number, replica: number, sign: 1 | -1): void {
    const { decodeLengths, criticDecodeLengths } = this.#sources!;
    this.#outstandingOutputTokens[replica]! += sign * decodeLengths.outputTokens(request);
    this.#criticOutstandingOutputTokens[replica]! += sign *
      criticDecodeLengths.outputTokens(request);
  }

  /**
   * Exponentially faded arrivals per second. The faded count of a rate that began `elapsed` ago is
   * rate * tau * (1 - exp(-elapsed / tau)); dividing by that removes the start-up bias. At least a
   * second is taken to have passed, lest the first arrivals read as an unbounded rate.
   */
  #arrivalRate(arrivals: TimeDecayedMean, tauSeconds: number): number {
    const elapsedSeconds = Math.max(this.#lastDecisionSeconds - this.#firstDecisionSeconds!, 1);
    const seenSeconds = -tauSeconds * Math.expm1(-elapsedSeconds / tauSeconds);
    return arrivals.weightAt(this.#lastDecisionSeconds) / seenSeconds;
  }
}

/** Share of the KV blocks left free once the prompt is admitted; negative when it does not fit. */
function kvHeadroomFraction(view: ClusterView, replica: number, promptTokens: number): number {
  const total = Math.max(view.kvBlocksTotal(replica), 1);
  const needed = Math.ceil(promptTokens / view.blockSize(replica));
  return (total - view.kvBlocksUsed(replica) - needed) / total;
}
