/**
 * Where requests come from: traces, synthetic generators, fitted defaults.
 *
 * @module
 */
export type { Workload } from "./workload.ts";
