/**
 * The tables of `docs/profiles.md`.
 */
import type { TableComparison, TimingProfile } from "../../lib/timing/mod.ts";
import { degreeRows } from "../../lib/cli/_profile_list.ts";

/** A Markdown table. */
function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => i < 2 ? "---" : "---:")), ...rows.map(line)]
    .join("\n");
}

/** One row for each degree of each profile: relative errors, median / 90th percentile. */
export function profileTable(profiles: readonly TimingProfile[]): string {
  const rows = profiles.flatMap((profile) => {
    const cells = degreeRows(profile);
    return profile.degrees.map(({ layer }, i) => {
      const heldOut = Object.values(layer).flatMap((curve) => curve.heldOut?.median ?? []);
      return cells[i]!.toSpliced(4, 0, (100 * Math.max(...heldOut)).toFixed(1));
    });
  });
  return markdown(
    ["GPU", "model", "tp", "layer", "held out", "attention", "all-reduce", "send-recv"],
    rows,
  );
}

/** Interpolated times beside those of Vidur's regressors. */
export function comparisonTable(rows: readonly TableComparison[]): string {
  return markdown(
    ["operation", "points", "median", "p90", "max"],
    rows.map(({ operation, points, median, p90, max }) => [
      operation,
      String(points),
      ...[median, p90, max].map((share) => (100 * share).toFixed(2)),
    ]),
  );
}
