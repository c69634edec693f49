/**
 * Replaying a golden case.
 *
 * @module
 */
import { createLorQueueOnly } from "../routing/mod.ts";
import {
  type BatchRecord,
  type RouteFunction,
  type SimulationResult,
  Simulator,
} from "../simulator/mod.ts";
import { field, type GoldenBatch, type GoldenCase } from "./_golden_case.ts";

/** How far a replay may be from the recorded run, in seconds. */
const GOLDEN_TOLERANCE_SECONDS = 1e-9;

/** Comparison of a replay with the recorded run; printed as one line of JSON. */
export interface GoldenReport {
  /** Name of the case. */
  readonly case: string;
  /** Requests compared. */
  readonly requests: number;
  /** Largest difference of any timestamp or duration of a request or batch, in seconds. */
  readonly maxAbsDiffSeconds: number;
  /** Requests that another replica served. */
  readonly replicaMismatches: number;
  /** Requests with another number of restarts, or other token counts after them. */
  readonly restartMismatches: number;
  /** Recorded batches whose number, replica, requests or tokens differ. */
  readonly batchMismatches: number;
  /** Batches formed. */
  readonly batches: number;
  /** Batches that Vidur formed. */
  readonly expectedBatches: number;
  /** Events in Vidur's counting. */
  readonly events: number;
  /** Events that Vidur handled. */
  readonly expectedEvents: number;
  /** KV blocks per replica. */
  readonly kvBlocks: number;
  /** KV blocks that Vidur planned. */
  readonly expectedKvBlocks: number;
  /** Whether nothing differs by more than the tolerance. */
  readonly passed: boolean;
}

/** Runs a case with Vidur's semantics and compares every request and every recorded batch. */
export function replayGoldenCase(golden: GoldenCase): GoldenReport {
  const { config, workload, replicas } = golden;
  const batches = new BatchComparison(golden);
  const simulator = new Simulator(workload, replicas, {
    observers: [{ onBatchStageEnd: (record) => batches.compare(record) }],
  });
  const result = simulator.run(createRoute(golden));
  const requests = compareRequests(golden, result, simulator.promptTokensAfterRestarts());
  const report = {
    case: config.name,
    requests: workload.count,
    maxAbsDiffSeconds: Math.max(requests.maxAbsDiffSeconds, batches.maxAbsDiffSeconds),
    replicaMismatches: requests.replicaMismatches,
    restartMismatches: requests.restartMismatches,
    batchMismatches: batches.mismatches + batches.missing,
    batches: result.batchCount,
    expectedBatches: config.result.batches,
    events: result.eventCount,
    expectedEvents: config.result.events,
    kvBlocks: replicas[0]!.kvBlocks,
    expectedKvBlocks: config.result.num_blocks,
  };
  const passed = report.maxAbsDiffSeconds <= GOLDEN_TOLERANCE_SECONDS &&
    report.replicaMismatches + report.restartMismatches + report.batchMismatches === 0 &&
    report.batches === report.expectedBatches && report.events === report.expectedEvents &&
    report.kvBlocks === report.expectedKvBlocks;
  return { ...report, passed };
}

/** Vidur's global schedulers (spec/simulator.md section 5); `random` repeats the recorded choices. */
function createRoute(golden: GoldenCase): RouteFunction {
  const { global_scheduler_config: { name }, num_replicas: replicaCount } =
    golden.config.cluster_config;
  switch (name) {
    case "round_robin": {
      let next = 0;
      return () => next++ % replicaCount;
    }
    case "random":
      return ({ request }) => field(golden.expectedRequests[request.index]!, "replica");
    case "lor": {
      const router = createLorQueueOnly();
      return (decision) => router.route(decision);
    }
  }
}

interface RequestComparison {
  readonly maxAbsDiffSeconds: number;
  readonly replicaMismatches: number;
  readonly restartMismatches: number;
}

function compareRequests(
  golden: GoldenCase,
  { outcomes }: SimulationResult,
  promptTokens: Int32Array,
): RequestComparison {
  const { workload, expectedRequests } = golden;
  let maxAbsDiffSeconds = 0;
  let replicaMismatches = 0;
  let restartMismatches = 0;
  for (let i = 0; i < workload.count; i++) {
    const expected = expectedRequests[i]!;
    const scheduled = outcomes.scheduledSeconds[i]!;
    const actual: [name: string, seconds: number][] = [
      ["scheduled_at", scheduled],
      ["prefill_completed_at", outcomes.firstTokenSeconds[i]!],
      ["completed_at", outcomes.completedSeconds[i]!],
      ["scheduling_delay", scheduled - workload.arrivalSeconds[i]!],
      ["execution_time", outcomes.executionSeconds[i]!],
      ["model_execution_time", outcomes.modelExecutionSeconds[i]!],
      ["preempted_time", outcomes.preemptedSeconds[i]!],
    ];
    for (const [name, seconds] of actual) {
      maxAbsDiffSeconds = Math.max(maxAbsDiffSeconds, difference(seconds, field(expected, name)));
    }
    const total = workload.promptTokens[i]! + workload.outputTokens[i]!;
    if (outcomes.replica[i] !== field(expected, "replica")) replicaMismatches++;
    const sameRestarts = outcomes.restarts[i] === field(expected, "num_restarts") &&
      promptTokens[i] === field(expected, "final_prefill_tokens") &&
      total - promptTokens[i]! === field(expected, "final_decode_tokens");
    if (!sameRestarts) restartMismatches++;
  }
  return { maxAbsDiffSeconds, replicaMismatches, restartMismatches };
}

/** Compares batches as they leave the last stage. */
class BatchComparison {
  /** Batches that differ. */
  mismatches = 0;
  /** Largest difference of a timestamp. */
  maxAbsDiffSeconds = 0;
  readonly #expected: readonly GoldenBatch[];
  readonly #lastStage: number;
  #compared = 0;

  constructor(golden: GoldenCase) {
    this.#expected = golden.expectedBatches;
    this.#lastStage = golden.replicas[0]!.stageCount - 1;
  }

  /** Recorded batches that the replay never formed. */
  get missing(): number {
    return this.#expected.length - this.#compared;
  }

  /** Takes in a stage's end. */
  compare(record: BatchRecord): void {
    if (record.stage !== this.#lastStage || this.#compared === this.#expected.length) return;
    const expected = this.#expected[this.#compared++]!;
    this.maxAbsDiffSeconds = Math.max(
      this.maxAbsDiffSeconds,
      difference(record.formedSeconds, expected.formedSeconds),
      difference(record.endSeconds, expected.endSeconds),
    );
    const { requestCount } = record;
    let same = record.batchIndex === expected.batchIndex && record.replica === expected.replica &&
      requestCount === expected.requests.length;
    for (let i = 0; same && i < requestCount; i++) {
      same = record.requests[i] === expected.requests[i] && record.tokens[i] === expected.tokens[i];
    }
    if (!same) this.mismatches++;
  }
}

/** Absolute difference; two missing values are equal, one is infinitely far. */
function difference(actual: number, expected: number): number {
  if (Number.isNaN(actual) && Number.isNaN(expected)) return 0;
  const distance = Math.abs(actual - expected);
  return Number.isNaN(distance) ? Infinity : distance;
}
