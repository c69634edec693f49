import type { ReplicaNameOptions } from "./replica_names.ts";
import { colorScale } from "./theme.ts";

/** What a chart calls a replica. */
export function replicaName({ replicaNames }: ReplicaNameOptions, replica: number): string {
  return replicaNames?.[replica] ?? `replica ${replica}`;
}

/** Names of replicas 0 to `count - 1`. */
export function namesOfReplicas(options: ReplicaNameOptions, count: number): string[] {
  return Array.from({ length: count }, (_, replica) => replicaName(options, replica));
}

/** Bars coloured by field `replica`, with a legend of squares. */
export function replicaBarColor(names: readonly string[]) {
  return {
    field: "replica",
    type: "nominal",
    title: "Replica",
    legend: { symbolType: "square" },
    scale: colorScale(names),
  } as const;
}
