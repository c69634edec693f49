import type { ReplicaUtilization } from "../metrics/mod.ts";
import type { ReplicaSpec } from "../simulator/mod.ts";
import { operationKinds, type OperationSeconds } from "../timing/mod.ts";
import { textTable } from "./_text_table.ts";

/** One line a replica: how busy it was; shares of its pipeline stages are separated by blanks. */
export function utilizationTable(
  replicas: readonly ReplicaSpec[],
  utilization: readonly ReplicaUtilization[],
): string {
  const head = [
    "replica",
    "busy",
    "MFU",
    "KV mean",
    "KV max",
    "batches",
    "requests/batch",
    "tokens/batch",
  ];
  const rows = utilization.map((use, replica) => [
    `${replica} ${replicas[replica]!.gpu}`,
    use.busyFraction.map(percent).join(" "),
    use.mfu === null ? "unknown" : use.mfu.map(percent).join(" "),
    percent(use.kvMeanFraction),
    percent(use.kvMaxFraction),
    String(use.batchCount),
    use.meanBatchRequests.toPrecision(3),
    use.meanBatchTokens.toPrecision(3),
  ]);
  return textTable(head, rows);
}

/** One line a replica: what it spent its time on, in seconds over all stages. */
export function operationTable(
  replicas: readonly ReplicaSpec[],
  operations: readonly OperationSeconds[],
): string {
  const rows = operations.map((seconds, replica) => [
    `${replica} ${replicas[replica]!.gpu}`,
    ...operationKinds.map((kind) => seconds[kind].toFixed(2)),
  ]);
  return textTable(["seconds of", ...operationKinds], rows);
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}
