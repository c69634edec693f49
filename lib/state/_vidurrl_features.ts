/**
 * The document's observation, column for column. Source: spec/scheduler.md sections 0 and 5.
 *
 * @module
 */
import type { ClusterView, RoutingDecision } from "../simulator/mod.ts";
import type { Features, FeatureSources } from "./_features.ts";
import type { DecodeLengths } from "./decode_lengths.ts";
import { QUEUE_DELAY_NAMES, writeQueueDelays } from "./_queue_delays.ts";
import {
  coefficientOfVariation,
  populationVariance,
  pseudoEma,
  pushBounded,
  slope,
} from "./_series.ts";
import type { StateConfig } from "./state_schema.ts";

const BASE_NAMES = [
  "queue_length",
  "allocated_blocks",
  "total_blocks",
  "utilization_fraction",
  "available_fraction",
  "running_batches",
  "preempted_requests",
  "allocation_map_size",
  "batch_capacity",
  "block_size",
  "num_stages",
] as const;

const ENHANCED_NAMES = [
  "queue_delta",
  "allocation_delta",
  "load_ema",
  "queue_trend",
  "queue_variance",
  "historical_peak",
  "historical_low",
  "time_since_peak",
] as const;

const REQUEST_NAMES = [
  "age",
  "num_prefill_tokens",
  "num_processed_tokens",
  "remaining_prefill",
  "completed",
  "num_decode_tokens",
  "priority",
] as const;

const GLOBAL_NAMES = ["global_queue_length", "system_throughput", "average_latency"] as const;

const ENHANCED_GLOBAL_NAMES = [
  "qps_current",
  "qps_ema",
  "qps_trend",
  "qps_variance",
  "system_load_balance",
  "global_queue_delta",
  "completion_rate",
] as const;

/** Smoothing factors of the two pseudo-averages. Source: spec/scheduler.md sections 5.2, 5.5. */
const LOAD_ALPHA = 0.3;
const QPS_ALPHA = 0.2;

/** Samples within this share of the window's peak count as the peak. */
const PEAK_SHARE = 0.9;

/** A peak longer ago than this reads as 1. */
const PEAK_HORIZON_SECONDS = 60;

/** Requests that wait for a decision: the one being routed. */
const GLOBAL_QUEUE_LENGTH = 1;

/** Histories of the last decisions, oldest first. */
interface VidurrlHistory {
  readonly seconds: number[];
  readonly queueLengths: number[][];
  readonly allocatedFractions: number[][];
  readonly throughputs: number[];
  readonly decisionSeconds: number[];
  /** Mean latency at the last decision. */
  latencySeconds: number;
}

/** Layout `vidurrl`. */
export class VidurrlFeatures implements Features {
  readonly replicaNames: readonly string[];
  readonly globalNames: readonly string[];
  readonly loadFeatures: readonly number[];
  readonly criticReplicaSize: number = 0;
  readonly criticGlobalSize: number = 0;
  readonly #replicaCount: number;
  /** undefined = no queue-delay features. */
  readonly #maxWaitSeconds: number | undefined;
  readonly #enhanced: boolean;
  readonly #maxQueueRequests: number;
  readonly #historyWindow: number;
  readonly #qpsWindow: number;
  #history: VidurrlHistory;
  #sources: FeatureSources | undefined;

  constructor(config: StateConfig, replicaCount: number) {
    this.#replicaCount = replicaCount;
    const counted = ["queue_length", "allocation_map_size"] as const;
    this.loadFeatures = counted.slice(0, config.loadCounts === "waiting" ? 1 : 2)
      .map((name) => BASE_NAMES.indexOf(name));
    this.#maxWaitSeconds = config.queueDelayFeatures ? config.queueDelayMaxWaitSeconds : undefined;
    this.#enhanced = config.enhancedFeatures;
    this.#maxQueueRequests = config.maxQueueRequests;
    this.#historyWindow = config.historyWindow;
    this.#qpsWindow = config.qpsWindow;
    const requestNames: string[] = [];
    for (let k = 0; k < config.maxQueueRequests; k++) {
      for (const name of REQUEST_NAMES) requestNames.push(`request_${k}_${name}`);
    }
    this.replicaNames = [
      ...BASE_NAMES,
      ...(config.queueDelayFeatures ? QUEUE_DELAY_NAMES : []),
      ...(config.enhancedFeatures ? ENHANCED_NAMES : []),
      ...requestNames,
    ];
    this.globalNames = [
      ...GLOBAL_NAMES,
      ...(config.enhancedFeatures ? ENHANCED_GLOBAL_NAMES : []),
    ];
    this.#history = emptyHistory(replicaCount);
  }

  reset(sources: FeatureSources): void {
    this.#sources = sources;
    this.#history = emptyHistory(this.#replicaCount);
  }

  observe(decision: RoutingDecision): void {
    const { nowSeconds, view } = decision;
    const { metrics } = this.#sources!;
    const history = this.#history;
    // A change is measured against the previous decision even when the window holds one sample.
    const capacity = Math.max(2, this.#historyWindow);
    pushBounded(history.seconds, nowSeconds, capacity);
    for (let r = 0; r < this.#replicaCount; r++) {
      pushBounded(history.queueLengths[r]!, view.waitingCount(r), capacity);
      pushBounded(history.allocatedFractions[r]!, allocatedFraction(view, r), capacity);
    }
    pushBounded(history.throughputs, metrics.throughput(nowSeconds), this.#qpsWindow);
    pushBounded(history.decisionSeconds, nowSeconds, 2 * this.#qpsWindow);
    history.latencySeconds = metrics.meanLatencySeconds(nowSeconds);
  }

  write(decision: RoutingDecision, out: Float32Array): void {
    const { decodeLengths } = this.#sources!;
    let at = 0;
    for (let r = 0; r < this.#replicaCount; r++) {
      at = this.#writeBase(decision.view, r, out, at);
      if (this.#maxWaitSeconds !== undefined) {
        at = writeQueueDelays(decision, r, {
          maxWaitSeconds: this.#maxWaitSeconds,
          out,
          start: at,
        });
      }
      if (this.#enhanced) at = this.#writeEnhanced(r, out, at);
      for (let k = 0; k < this.#maxQueueRequests; k++) {
        at = writeRequest(decision, r, k, decodeLengths, out, at);
      }
    }
    out[at++] = GLOBAL_QUEUE_LENGTH;
    out[at++] = this.#history.throughputs.at(-1)!;
    out[at++] = this.#history.latencySeconds;
    if (this.#enhanced) this.#writeEnhancedGlobal(decision.nowSeconds, out, at);
  }

  #writeBase(view: ClusterView, r: number, out: Float32Array, start: number): number {
    const allocated = view.kvBlocksUsed(r);
    const total = Math.max(view.kvBlocksTotal(r), 1);
    let at = start;
    out[at++] = view.waitingCount(r);
    out[at++] = allocated;
    out[at++] = total;
    out[at++] = allocated / total;
    out[at++] = Math.max(total - allocated, 0) / total;
    out[at++] = view.inFlightBatchCount(r);
    out[at++] = view.parkedCount(r);
    out[at++] = view.runningCount(r);
    out[at++] = view.batchSizeCap(r);
    out[at++] = view.blockSize(r);
    out[at++] = view.stageCount(r);
    return at;
  }

  #writeEnhanced(r: number, out: Float32Array, start: number): number {
    const allQueues = this.#history.queueLengths[r]!;
    const allFractions = this.#history.allocatedFractions[r]!;
    const queues = allQueues.slice(-this.#historyWindow);
    const seconds = this.#history.seconds.slice(-this.#historyWindow);
    const peak = Math.max(...queues);
    const lastPeak = queues.findLastIndex((length) => length >= PEAK_SHARE * peak);
    const sincePeakSeconds = seconds.at(-1)! - seconds[lastPeak]!;
    let at = start;
    out[at++] = lastChange(allQueues);
    out[at++] = lastChange(allFractions);
    out[at++] = pseudoEma(
      allFractions.at(-1)!,
      allFractions.slice(-this.#historyWindow),
      LOAD_ALPHA,
    );
    out[at++] = slope(queues);
    out[at++] = populationVariance(queues);
    out[at++] = peak;
    out[at++] = Math.min(...queues);
    out[at++] = Math.min(sincePeakSeconds / PEAK_HORIZON_SECONDS, 1);
    return at;
  }

  #writeEnhancedGlobal(nowSeconds: number, out: Float32Array, start: number): void {
    const { throughputs, decisionSeconds, queueLengths } = this.#history;
    const throughput = throughputs.at(-1)!;
    const qps = decisionSeconds.length < 2
      ? 0
      : decisionSeconds.filter((seconds) => nowSeconds - seconds <= 1).length;
    const lastQueues = queueLengths.map((series) => series.at(-1)!);
    let at = start;
    out[at++] = qps;
    // The original adds past throughputs to the current arrival rate.
    out[at++] = pseudoEma(qps, throughputs, QPS_ALPHA);
    out[at++] = throughputs.length < 3 ? 0 : slope(throughputs.slice(-3));
    out[at++] = populationVariance(throughputs);
    out[at++] = 1 / (1 + coefficientOfVariation(lastQueues));
    // Decisions are taken one by one, so the global queue never changes length between them.
    out[at++] = 0;
    out[at++] = qps === 0 ? 1 : Math.min(throughput / qps, 2);
  }
}

function emptyHistory(replicaCount: number): VidurrlHistory {
  return {
    seconds: [],
    queueLengths: Array.from({ length: replicaCount }, () => []),
    allocatedFractions: Array.from({ length: replicaCount }, () => []),
    throughputs: [],
    decisionSeconds: [],
    latencySeconds: 0,
  };
}

function allocatedFraction(view: ClusterView, replica: number): number {
  return view.kvBlocksUsed(replica) / Math.max(view.kvBlocksTotal(replica), 1);
}

/** Newest sample minus the one before it; 0 for a single sample. */
function lastChange(series: readonly number[]): number {
  return series.length < 2 ? 0 : series.at(-1)! - series.at(-2)!;
}

/** The seven columns of the `k`-th waiting request; zeros past the end of the queue. */
function writeRequest(
  decision: RoutingDecision,
  replica: number,
  k: number,
  decodeLengths: DecodeLengths,
  out: Float32Array,
  start: number,
): number {
  const request = decision.view.waitingRequest(replica, k);
  const end = start + REQUEST_NAMES.length;
  if (request === undefined) {
    out.fill(0, start, end);
    return end;
  }
  let at = start;
  out[at++] = Math.max(0, decision.nowSeconds - request.arrivalSeconds);
  out[at++] = request.promptTokens;
  out[at++] = request.processedTokens;
  out[at++] = Math.max(0, request.promptTokens - request.processedTokens);
  // A completed request never waits; the column is part of the document's layout.
  out[at++] = 0;
  out[at++] = decodeLengths.outputTokens(request.index);
  out[at++] = request.priority;
  return at;
}
