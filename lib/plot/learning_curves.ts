/**
 * How training went.
 *
 * @module
 */
import type { Table } from "apache-arrow";
import { columnNumbers, columnStrings } from "../metrics/mod.ts";
import { bandChart } from "./_band_panel.ts";
import { bandOverSeeds, type SeedPoint } from "./_series.ts";
import type { Chart } from "./chart.ts";

/** Columns of `training.parquet` that are worth a panel, with the title of their axis. */
export const LEARNING_PANELS = {
  latency_mean_seconds: "Mean latency in the rollout (s)",
  reward_mean: "Mean reward per decision",
  entropy: "Policy entropy (nat)",
  explained_variance: "Explained variance of the critic",
  approx_kl: "Approximate KL per update (nat)",
  clip_fraction: "Clip fraction",
  policy_loss: "Policy loss",
  value_loss: "Value loss",
  grad_norm: "Gradient norm",
  learning_rate: "Learning rate",
} as const;

/** A column that {@linkcode learningCurves} can draw. */
export type LearningPanel = keyof typeof LEARNING_PANELS;

/** How {@linkcode learningCurves} draws. */
export interface LearningCurvesOptions {
  /** Panels in order; by default the first six of {@linkcode LEARNING_PANELS}. */
  readonly panels?: readonly LearningPanel[];
  /**
   * Policies in order of colour, e.g. with the baselines, as other charts of a report have them;
   * those of the table in order of appearance by default.
   */
  readonly policies?: readonly string[];
  /** Panels side by side, an integer >= 1; 2 by default. */
  readonly columns?: number;
  /** Points a curve at most, an integer >= 2; 120 by default. */
  readonly maxPoints?: number;
}

/**
 * Learning curves over decisions, one panel a metric: the line is the mean over seeds, the band
 * reaches from the smallest to the largest seed.
 *
 * @param training Table with the columns of {@linkcode trainingColumns}; several seeds a policy.
 * @param options Panels, colours, density.
 * @returns A chart with its (thinned) data inside.
 *
 * @example
 * ```ts
 * import { tableFromRows } from "@signalbox/signalbox/metrics";
 * import { learningCurves, renderSvg } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const schema = { policy: "utf8", seed: "int64", decisions: "int64", entropy: "float64" } as const;
 * const training = tableFromRows(schema, [1, 2].flatMap((seed) =>
 *   [0, 256, 512].map((decisions) => ({
 *     policy: "ppo delta",
 *     seed,
 *     decisions,
 *     entropy: 1.4 - decisions / 1000 + seed / 100,
 *   }))
 * ));
 * const svg = await renderSvg(learningCurves(training, { panels: ["entropy"] }));
 * assert.match(svg, /Policy entropy \(nat\)/);
 * ```
 */
export function learningCurves(training: Table, options: LearningCurvesOptions = {}): Chart {
  const names = Object.keys(LEARNING_PANELS) as LearningPanel[];
  const { panels = names.slice(0, 6), columns = 2, maxPoints = 120 } = options;
  const series = columnStrings(training, "policy").map(String);
  const policies = options.policies ?? [...new Set(series)];
  const seeds = columnNumbers(training, "seed");
  const decisions = columnNumbers(training, "decisions");
  const values = panels.flatMap((panel) => {
    const column = columnNumbers(training, panel);
    const points = series.map((policy, i): SeedPoint => ({
      series: policy,
      seed: seeds[i]!,
      x: decisions[i]!,
      y: column[i]!,
    }));
    return bandOverSeeds(points, maxPoints).map((point) => ({ panel, ...point }));
  });
  return bandChart(
    values,
    panels.map((panel) => ({
      panel,
      yTitle: LEARNING_PANELS[panel],
      groups: policies,
      groupTitle: "Policy",
    })),
    { title: "Learning curves", seeds, columns },
  );
}
