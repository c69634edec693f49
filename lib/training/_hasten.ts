import type { Workload } from "../workload/mod.ts";

/** The same requests, arriving at a multiple of the rate. */
export function hasten(workload: Workload, rateScale: number): Workload {
  if (rateScale === 1) return workload;
  const arrivalSeconds = workload.arrivalSeconds.map((seconds) => seconds / rateScale);
  return { ...workload, arrivalSeconds };
}
