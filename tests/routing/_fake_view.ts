import type { ClusterView, RoutingDecision } from "../../lib/simulator/mod.ts";

/** One replica of a made-up cluster; what is left out is 0, and it is available. */
export interface FakeReplica {
  readonly down?: boolean;
  readonly waiting?: number;
  readonly running?: number;
  readonly kvTokens?: number;
  readonly tbtEmaSeconds?: number;
}

/** A decision over a made-up cluster; members that no router here may read throw. */
export function fakeDecision(replicas: readonly FakeReplica[]): RoutingDecision {
  const at = (replica: number): FakeReplica => replicas[replica]!;
  const seen = {
    replicaCount: replicas.length,
    nowSeconds: 0,
    isAvailable: (replica: number) => at(replica).down !== true,
    waitingCount: (replica: number) => at(replica).waiting ?? 0,
    runningCount: (replica: number) => at(replica).running ?? 0,
    outstandingCount: (replica: number) => (at(replica).waiting ?? 0) + (at(replica).running ?? 0),
    kvTokens: (replica: number) => at(replica).kvTokens ?? 0,
    tbtEmaSeconds: (replica: number) => at(replica).tbtEmaSeconds ?? 0,
  };
  const view = new Proxy(seen, {
    get(target, key): unknown {
      if (!(key in target)) throw new Error(`not part of the made-up cluster: ${String(key)}`);
      return target[key as keyof typeof target];
    },
  }) as unknown as ClusterView;
  const request = { index: 0, arrivalSeconds: 0, promptTokens: 1, processedTokens: 0, priority: 0 };
  return { nowSeconds: 0, request, view };
}
