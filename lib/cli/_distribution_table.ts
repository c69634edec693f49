/** Distributions on a terminal. */
import type { LatencyDistribution } from "../metrics/mod.ts";
import { textTable } from "./_text_table.ts";

const QUANTILES = [0.5, 0.9, 0.95, 0.99, 0.999];

/** One line a distribution: count, mean, quantiles, largest. */
export function distributionTable(
  distributions: Readonly<Record<string, LatencyDistribution>>,
): string {
  const head = ["distribution", "count", "mean", ...QUANTILES.map((q) => `p${100 * q}`), "max"];
  const rows = Object.entries(distributions).map(([name, of]) => [
    name,
    String(of.count),
    ...(of.count === 0
      ? [...QUANTILES, 0, 0].map(() => "none")
      : [of.mean(), ...[...QUANTILES, 1].map((q) => of.quantile(q))]
        .map((value) => value.toPrecision(4))),
  ]);
  return textTable(head, rows);
}
