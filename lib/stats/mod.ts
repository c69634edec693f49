/**
 * Statistics of latencies and seeds, all in float64: moments, quantiles, distributions, intervals.
 *
 * @module
 */
export { type EmpiricalCdf, empiricalCdf, type EmpiricalCdfOptions } from "./empirical_cdf.ts";
export type { Interval } from "./interval.ts";
export { jainIndex } from "./jain_index.ts";
export { lowerBound } from "./lower_bound.ts";
export { mean, sampleStd } from "./moments.ts";
export { normalCdf } from "./normal_cdf.ts";
export {
  type BootstrapDifference,
  type BootstrapOptions,
  type BootstrapStatistic,
  pairedBlockBootstrap,
  type PairedSample,
} from "./paired_block_bootstrap.ts";
export { quantile, quantileSorted } from "./quantile.ts";
