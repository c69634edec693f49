/**
 * Workloads fitted to public traces, embedded as quantile tables.
 *
 * @module
 */
import azureConversation2023 from "../../data/workloads/azure_conversation_2023.json" with {
  type: "json",
};
import type { ModulatedArrivals } from "./arrivals.ts";
import type { LengthTable } from "./length_table.ts";

/** Names of the fitted workloads, one file each in `data/workloads`. */
export const fittedWorkloadNames = ["azure_conversation_2023"] as const;

/** Name of a fitted workload. */
export type FittedWorkloadName = typeof fittedWorkloadNames[number];

/** Statistics of a real trace from which similar requests are drawn. */
export interface FittedWorkload {
  /** The arrival process, at the trace's own rate. */
  readonly arrivals: ModulatedArrivals;
  /** Lengths, outputs depending on prompts. */
  readonly lengths: LengthTable;
}

/**
 * Looks up a fitted workload. `data/workloads/<name>.json` states the trace, its licence and how
 * closely the fit reproduces it.
 *
 * @example
 * ```ts
 * import { getFittedWorkload } from "@signalbox/signalbox/workload";
 * import assert from "node:assert/strict";
 *
 * const { arrivals } = getFittedWorkload("azure_conversation_2023");
 * assert.ok(Math.abs(arrivals.ratePerSecond - 5.53) < 0.01);
 * ```
 */
export function getFittedWorkload(name: FittedWorkloadName): FittedWorkload {
  switch (name) {
    case "azure_conversation_2023":
      return {
        arrivals: { kind: "modulated", ...azureConversation2023.arrivals },
        lengths: azureConversation2023.lengths,
      };
  }
}
