/**
 * What the reward was made of.
 *
 * @module
 */
import type { Table } from "apache-arrow";
import { columnNumbers, columnStrings } from "../metrics/mod.ts";
import { bandChart } from "./_band_panel.ts";
import { bandOverSeeds, type SeedPoint } from "./_series.ts";
import type { Chart } from "./chart.ts";

/** Columns that start like components and are moments of the whole reward. */
const NOT_COMPONENTS = new Set(["reward_mean", "reward_std"]);

/** How {@linkcode rewardComponents} draws. */
export interface RewardComponentsOptions {
  /** Policies in order of panels; those of the table in order of appearance by default. */
  readonly policies?: readonly string[];
  /** Points a curve at most, an integer >= 2; 120 by default. */
  readonly maxPoints?: number;
}

/**
 * Reward components over decisions, one panel a policy (reward mode): the line is the mean over
 * seeds, the band reaches from the smallest to the largest seed. Components that a policy does not
 * have (all null) are left out of its panel.
 *
 * @param training Table with columns `reward_<component>`, see {@linkcode trainingSchema}.
 * @param options Panels, density.
 * @returns A chart with its (thinned) data inside.
 * @throws {RangeError} When the table has no reward component with a value.
 *
 * @example
 * ```ts
 * import { tableFromRows } from "@signalbox/signalbox/metrics";
 * import { renderSvg, rewardComponents } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const schema = {
 *   policy: "utf8",
 *   seed: "int64",
 *   decisions: "int64",
 *   reward_balance_penalty: "float64?",
 * } as const;
 * const training = tableFromRows(schema, [
 *   { policy: "ppo delta", seed: 1, decisions: 0, reward_balance_penalty: -0.5 },
 *   { policy: "ppo delta", seed: 1, decisions: 256, reward_balance_penalty: -0.2 },
 * ]);
 * assert.match(await renderSvg(rewardComponents(training)), /balance penalty/);
 * ```
 */
export function rewardComponents(training: Table, options: RewardComponentsOptions = {}): Chart {
  const { maxPoints = 120 } = options;
  const owners = columnStrings(training, "policy").map(String);
  const seeds = columnNumbers(training, "seed");
  const decisions = columnNumbers(training, "decisions");
  const columns = training.schema.fields.map((field) => field.name).filter((name) =>
    name.startsWith("reward_") && !NOT_COMPONENTS.has(name)
  );
  const values = (options.policies ?? [...new Set(owners)]).flatMap((policy) => {
    const points = columns.flatMap((name) => {
      const column = columnNumbers(training, name);
      const series = name.slice("reward_".length).replaceAll("_", " ");
      return owners.flatMap((owner, i): SeedPoint[] =>
        owner === policy ? [{ series, seed: seeds[i]!, x: decisions[i]!, y: column[i]! }] : []
      );
    });
    return bandOverSeeds(points, maxPoints).map((point) => ({ panel: policy, ...point }));
  });
  if (values.length === 0) {
    throw new RangeError(
      "Cannot draw reward components: the table must hold a reward_<component> column with a value, current count is 0",
    );
  }
  const panels = [...new Set(values.map((value) => value.panel))];
  const components = [...new Set(values.map((value) => value.series))];
  return bandChart(
    values,
    panels.map((panel) => ({
      panel,
      title: panel,
      yTitle: "Reward per decision",
      groups: components,
      groupTitle: "Component",
    })),
    { title: "Reward components", seeds },
  );
}
