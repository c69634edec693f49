/** One value of one seed's curve. */
export interface SeedPoint {
  /** Curve that the seeds are runs of, e.g. a policy. */
  readonly series: string;
  /** Seed. */
  readonly seed: number;
  /** Position, e.g. decisions so far. */
  readonly x: number;
  /** Value; points that are not finite are left out. */
  readonly y: number;
}

/** A curve's mean over seeds and how far the seeds lie apart. */
export interface BandPoint {
  /** Curve. */
  readonly series: string;
  /** Mean position of the points in the bin. */
  readonly x: number;
  /** Mean over seeds. */
  readonly mean: number;
  /** Smallest seed. */
  readonly low: number;
  /** Largest seed. */
  readonly high: number;
  /** Seeds that have a point here. */
  readonly seeds: number;
}

/**
 * Averages each seed's points in at most `maxPoints` bins of equal width, then takes mean, smallest
 * and largest over seeds. Curves come in order of first appearance, points in order of position.
 */
export function bandOverSeeds(points: readonly SeedPoint[], maxPoints: number): BandPoint[] {
  const finite = points.filter((point) => Number.isFinite(point.x) && Number.isFinite(point.y));
  if (finite.length === 0) return [];
  const low = finite.reduce((least, { x }) => Math.min(least, x), Infinity);
  const high = finite.reduce((most, { x }) => Math.max(most, x), -Infinity);
  const width = (high - low) / maxPoints || 1;
  const curves = new Map<string, Map<number, Map<number, Sum>>>();
  for (const { series, seed, x, y } of finite) {
    const bin = Math.min(maxPoints - 1, Math.floor((x - low) / width));
    const bins = getOrCreate(curves, series, () => new Map());
    const seeds = getOrCreate(bins, bin, () => new Map());
    const sum = getOrCreate(seeds, seed, () => ({ x: 0, y: 0, count: 0 }));
    sum.x += x;
    sum.y += y;
    sum.count++;
  }
  return [...curves].flatMap(([series, bins]) =>
    [...bins].sort(([a], [b]) => a - b).map(([, seeds]) => bandPoint(series, [...seeds.values()]))
  );
}

/** Rounds to six significant digits: more cannot be seen and would only make files large. */
export function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

interface Sum {
  x: number;
  y: number;
  count: number;
}

function bandPoint(series: string, sums: readonly Sum[]): BandPoint {
  const means = sums.map((sum) => sum.y / sum.count);
  const count = sums.length;
  return {
    series,
    x: rounded(sums.reduce((total, sum) => total + sum.x / sum.count, 0) / count),
    mean: rounded(means.reduce((total, value) => total + value, 0) / count),
    low: rounded(Math.min(...means)),
    high: rounded(Math.max(...means)),
    seeds: count,
  };
}

function getOrCreate<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, value = create());
  return value;
}
