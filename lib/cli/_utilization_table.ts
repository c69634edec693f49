import type { OperationRow, ReplicaUtilization } from "../metrics/mod.ts";
import type { ReplicaSpec } from "../simulator/mod.ts";
import { operationKinds } from "../timing/mod.ts";
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

/** One line a replica: how many seconds it spent on each kind of operation, over all stages. */
export function operationKindTable(operations: readonly OperationRow[]): string {
  const rows = [...Map.groupBy(operations, ({ replica }) => replica).values()].map((own) => [
    `${own[0]!.replica} ${own[0]!.gpu}`,
    ...operationKinds.map((kind) =>
      own.reduce((sum, row) => sum + (row.kind === kind ? row.seconds : 0), 0).toFixed(2)
    ),
  ]);
  return textTable(["seconds of", ...operationKinds], rows);
}

/** One line an operation of a stage: batches that it took time in, its seconds and its share. */
export function operationTable(operations: readonly OperationRow[]): string {
  const head = ["replica", "stage", "operation", "batches", "seconds", "ms/batch", "of the stage"];
  const rows = [...Map.groupBy(operations, ({ replica, stage }) => `${replica}/${stage}`).values()]
    .flatMap((own) => {
      const total = own.reduce((sum, { seconds }) => sum + seconds, 0);
      return own.map(({ replica, gpu, stage, operation, batches, seconds }) => [
        `${replica} ${gpu}`,
        String(stage),
        // What is known only in sum stands below each other.
        operation.replaceAll("+", "\n+ "),
        String(batches),
        seconds.toFixed(3),
        (1000 * seconds / batches).toPrecision(3),
        percent(seconds / total),
      ]);
    });
  return textTable(head, rows);
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}
