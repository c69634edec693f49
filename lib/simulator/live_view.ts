/**
 * Windows onto a running simulation.
 *
 * @module
 */
import type { ClusterView, OracleView, RequestView } from "./cluster_view.ts";
import type { ReplicaState } from "./replica_state.ts";
import type { RequestTable } from "./request_table.ts";

/** The few numbers of the engine that its views show. */
export interface EngineClock {
  /** Simulated time in seconds. */
  nowSeconds: number;
  /** Requests that have arrived. */
  arrivedCount: number;
  /** Requests that have completed. */
  completedCount: number;
}

/** {@linkcode ClusterView} of a running simulator: every number is read where it is maintained. */
export class LiveClusterView implements ClusterView {
  /** @inheritdoc */
  readonly replicaCount: number;
  readonly #clock: EngineClock;
  readonly #requests: RequestTable;
  readonly #replicas: readonly ReplicaState[];
  readonly #priority: Int32Array | undefined;

  /** @param priority Priorities as the workload gives them. */
  constructor(
    clock: EngineClock,
    requests: RequestTable,
    replicas: readonly ReplicaState[],
    priority: Int32Array | undefined,
  ) {
    this.replicaCount = replicas.length;
    this.#clock = clock;
    this.#requests = requests;
    this.#replicas = replicas;
    this.#priority = priority;
  }

  /** @inheritdoc */
  get nowSeconds(): number {
    return this.#clock.nowSeconds;
  }

  /** @inheritdoc */
  get arrivedCount(): number {
    return this.#clock.arrivedCount;
  }

  /** @inheritdoc */
  get completedCount(): number {
    return this.#clock.completedCount;
  }

  /** @inheritdoc */
  isAvailable(replica: number): boolean {
    return this.#at(replica).isAvailable;
  }

  /** @inheritdoc */
  waitingCount(replica: number): number {
    return this.#at(replica).queue.length;
  }

  /** @inheritdoc */
  runningCount(replica: number): number {
    return this.#at(replica).runningCount;
  }

  /** @inheritdoc */
  outstandingCount(replica: number): number {
    const state = this.#at(replica);
    return state.queue.length + state.runningCount;
  }

  /** @inheritdoc */
  inFlightBatchCount(replica: number): number {
    return this.#at(replica).inFlightBatchCount;
  }

  /** @inheritdoc */
  parkedCount(replica: number): number {
    return this.#at(replica).parkedCount;
  }

  /** @inheritdoc */
  kvBlocksUsed(replica: number): number {
    return this.#at(replica).kvBlocksUsed;
  }

  /** @inheritdoc */
  kvBlocksTotal(replica: number): number {
    return this.#at(replica).spec.kvBlocks;
  }

  /** @inheritdoc */
  blockSize(replica: number): number {
    return this.#at(replica).spec.scheduler.blockSize;
  }

  /** @inheritdoc */
  batchSizeCap(replica: number): number {
    return this.#at(replica).spec.scheduler.batchSizeCap;
  }

  /** @inheritdoc */
  stageCount(replica: number): number {
    return this.#at(replica).spec.stageCount;
  }

  /** @inheritdoc */
  pendingPrefillTokens(replica: number): number {
    return this.#at(replica).pendingPrefillTokens;
  }

  /** @inheritdoc */
  kvTokens(replica: number): number {
    return this.#at(replica).kvTokens;
  }

  /** @inheritdoc */
  tbtEmaSeconds(replica: number): number {
    return this.#at(replica).tbtEmaSeconds;
  }

  /** @inheritdoc */
  restartCount(replica: number): number {
    return this.#at(replica).restartCount;
  }

  /** @inheritdoc */
  waitingRequest(replica: number, k: number): RequestView | undefined {
    const request = this.#at(replica).queue.at(k);
    return request < 0 ? undefined : this.request(request);
  }

  /** A request as a router sees it. */
  request(index: number): RequestView {
    return {
      index,
      arrivalSeconds: this.#requests.arrivalSeconds[index]!,
      promptTokens: this.#requests.prompt(index),
      processedTokens: this.#requests.processed(index),
      priority: this.#priority === undefined ? 0 : this.#priority[index]!,
    };
  }

  #at(replica: number): ReplicaState {
    const state = this.#replicas[replica];
    if (state === undefined) {
      throw new RangeError(
        `Cannot observe the cluster: replica must be an integer in [0, ${this.replicaCount}), current value is ${replica}`,
      );
    }
    return state;
  }
}

/** {@linkcode OracleView} of a running simulator. */
export class LiveOracleView implements OracleView {
  readonly #outputTokens: Int32Array;
  readonly #replicas: readonly ReplicaState[];

  /** @param outputTokens Output lengths as the workload gives them. */
  constructor(outputTokens: Int32Array, replicas: readonly ReplicaState[]) {
    this.#outputTokens = outputTokens;
    this.#replicas = replicas;
  }

  /** @inheritdoc */
  outputTokens(requestIndex: number): number {
    return this.#outputTokens[requestIndex]!;
  }

  /** @inheritdoc */
  pendingOutputTokens(replica: number): number {
    return this.#replicas[replica]!.pendingOutputTokens;
  }
}
