/**
 * Statistics of short series, oldest sample first.
 *
 * @module
 */

/** Appends a sample and drops the oldest beyond `capacity`. */
export function pushBounded(series: number[], value: number, capacity: number): void {
  series.push(value);
  if (series.length > capacity) series.shift();
}

/** Least-squares slope over x = 0, 1, ..., n - 1; 0 for fewer than two samples. */
export function slope(series: readonly number[]): number {
  const n = series.length;
  if (n < 2) return 0;
  const centre = (n - 1) / 2;
  let covariance = 0;
  for (let i = 0; i < n; i++) covariance += (i - centre) * series[i]!;
  // Sum of (i - centre)^2 over i = 0 .. n - 1.
  return covariance / ((n * (n * n - 1)) / 12);
}

/** Population variance; 0 for fewer than two samples. */
export function populationVariance(series: readonly number[]): number {
  const n = series.length;
  if (n < 2) return 0;
  let mean = 0;
  for (const value of series) mean += value;
  mean /= n;
  let sum = 0;
  for (const value of series) sum += (value - mean) ** 2;
  return sum / n;
}

/** Population standard deviation over mean; 0 for fewer than two samples or a mean of 0. */
export function coefficientOfVariation(series: readonly number[]): number {
  if (series.length < 2) return 0;
  const mean = series.reduce((sum, value) => sum + value, 0) / series.length;
  return mean === 0 ? 0 : Math.sqrt(populationVariance(series)) / mean;
}

/**
 * current + sum over i >= 1 of alpha * (1 - alpha)^i * series[n - 1 - i]: what the original calls
 * an exponential moving average, though its weights do not sum to 1. The newest sample of the
 * series stands for `current` and is not counted again. Source: spec/scheduler.md section 5.2.
 */
export function pseudoEma(current: number, series: readonly number[], alpha: number): number {
  let sum = current;
  let weight = alpha;
  for (let i = series.length - 2; i >= 0; i--) {
    weight *= 1 - alpha;
    sum += weight * series[i]!;
  }
  return sum;
}
