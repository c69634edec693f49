/**
 * Workloads fitted to public traces, embedded as quantile tables.
 *
 * @module
 */
import azureCode2023 from "../../data/workloads/azure_code_2023.json" with { type: "json" };
import azureConversation2023 from "../../data/workloads/azure_conversation_2023.json" with {
  type: "json",
};
import mooncakeConversation from "../../data/workloads/mooncake_conversation.json" with {
  type: "json",
};
import { type FittedWorkload, fittedWorkloadFileSchema } from "./fitted_workload_file.ts";

/** Names of the fitted workloads, one file each in `data/workloads`. */
export const fittedWorkloadNames = [
  "azure_conversation_2023",
  "azure_code_2023",
  "mooncake_conversation",
] as const;

/** Name of a fitted workload. */
export type FittedWorkloadName = typeof fittedWorkloadNames[number];

const files: Readonly<Record<FittedWorkloadName, unknown>> = {
  "azure_conversation_2023": azureConversation2023,
  "azure_code_2023": azureCode2023,
  "mooncake_conversation": mooncakeConversation,
};

const parsed = new Map<FittedWorkloadName, FittedWorkload>();

/**
 * Looks up a fitted workload. `data/workloads/<name>.json` states the trace, its licence, the
 * command that fitted it and how closely the fit reproduces it; docs/workloads.md shows both.
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
  const known = parsed.get(name);
  if (known !== undefined) return known;
  const workload = fittedWorkloadFileSchema.parse(files[name]);
  parsed.set(name, workload);
  return workload;
}
