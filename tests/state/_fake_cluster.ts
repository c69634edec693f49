import type { ClusterView, RequestView, RoutingDecision } from "../../lib/simulator/mod.ts";

/** One replica of a made-up cluster; what is left out has the default of {@linkcode IDLE}. */
export interface FakeReplica {
  readonly available?: boolean;
  readonly waiting?: readonly Partial<RequestView>[];
  readonly running?: number;
  readonly inFlight?: number;
  readonly parked?: number;
  readonly kvBlocksUsed?: number;
  readonly kvBlocksTotal?: number;
  readonly blockSize?: number;
  readonly batchSizeCap?: number;
  readonly stages?: number;
  readonly pendingPrefillTokens?: number;
  readonly tbtEmaSeconds?: number;
}

const IDLE: Required<FakeReplica> = {
  available: true,
  waiting: [],
  running: 0,
  inFlight: 0,
  parked: 0,
  kvBlocksUsed: 0,
  kvBlocksTotal: 100,
  blockSize: 16,
  batchSizeCap: 128,
  stages: 1,
  pendingPrefillTokens: 0,
  tbtEmaSeconds: 0,
};

/** A request of 1 token at time 0 but for what is given. */
function fakeRequest(parts: Partial<RequestView> = {}): RequestView {
  return {
    index: 0,
    arrivalSeconds: 0,
    promptTokens: 1,
    processedTokens: 0,
    priority: 0,
    ...parts,
  };
}

/** A view of a made-up cluster. */
export function fakeView(nowSeconds: number, replicas: readonly FakeReplica[]): ClusterView {
  const at = (replica: number): Required<FakeReplica> => ({ ...IDLE, ...replicas[replica]! });
  return {
    replicaCount: replicas.length,
    nowSeconds,
    arrivedCount: 0,
    completedCount: 0,
    isAvailable: (r) => at(r).available,
    waitingCount: (r) => at(r).waiting.length,
    runningCount: (r) => at(r).running,
    outstandingCount: (r) => at(r).waiting.length + at(r).running,
    inFlightBatchCount: (r) => at(r).inFlight,
    parkedCount: (r) => at(r).parked,
    kvBlocksUsed: (r) => at(r).kvBlocksUsed,
    kvBlocksTotal: (r) => at(r).kvBlocksTotal,
    blockSize: (r) => at(r).blockSize,
    batchSizeCap: (r) => at(r).batchSizeCap,
    stageCount: (r) => at(r).stages,
    pendingPrefillTokens: (r) => at(r).pendingPrefillTokens,
    kvTokens: () => 0,
    tbtEmaSeconds: (r) => at(r).tbtEmaSeconds,
    restartCount: () => 0,
    waitingRequest: (r, k) => {
      const parts = at(r).waiting[k];
      return parts === undefined ? undefined : fakeRequest(parts);
    },
  };
}

/** The decision on request `index` at `nowSeconds`. */
export function fakeDecision(
  index: number,
  nowSeconds: number,
  replicas: readonly FakeReplica[],
  request: Partial<RequestView> = {},
): RoutingDecision {
  return {
    nowSeconds,
    request: fakeRequest({ index, arrivalSeconds: nowSeconds, ...request }),
    view: fakeView(nowSeconds, replicas),
  };
}
