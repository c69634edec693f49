/**
 * What a policy's choice depends on.
 *
 * @module
 */
import { replicaName } from "./_replicas.ts";
import { rounded } from "./_series.ts";
import type { Panel } from "./_band_panel.ts";
import { type Chart, makeChart } from "./chart.ts";
import type { ReplicaNameOptions } from "./replica_names.ts";
import { colorScale, DASH_LEGEND, dashScale } from "./theme.ts";

/** A point of a curve, as `measureDependence` of the training package returns it. */
export interface DependenceValue {
  /** What is varied. */
  readonly feature: "prompt_tokens" | "outstanding_requests";
  /** What it is set to. */
  readonly value: number;
  /** Replica whose probability it is. */
  readonly replica: number;
  /** Mean over decisions, in [0, 1]. */
  readonly probability: number;
}

/**
 * Probability that a policy gives to each replica against the length of the prompt, and against the
 * number of requests that the replica has.
 *
 * @param points Means over decisions; several of one value, e.g. of training seeds, are averaged.
 * @param options Names.
 * @returns A chart with its data inside.
 * @throws {RangeError} When there is no point.
 *
 * @example
 * ```ts
 * import { policyDependence, renderSvg } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const points = [64, 1024].flatMap((value) =>
 *   [0, 1].map((replica) => ({
 *     feature: "prompt_tokens" as const,
 *     value,
 *     replica,
 *     probability: replica === 0 ? value / 2048 : 1 - value / 2048,
 *   }))
 * );
 * assert.match(await renderSvg(policyDependence(points)), /Prompt tokens/);
 * ```
 */
export function policyDependence(
  points: readonly DependenceValue[],
  options: ReplicaNameOptions = {},
): Chart {
  if (points.length === 0) {
    throw new RangeError("Cannot draw dependence: points must hold at least one, current is none");
  }
  const replicas = [...new Set(points.map((point) => point.replica))].sort((a, b) => a - b);
  const names = replicas.map((replica) => replicaName(options, replica));
  const keyOf = ({ feature, value, replica }: DependenceValue): string =>
    `${feature}/${value}/${replica}`;
  const values = [...Map.groupBy(points, keyOf).values()].map((group) => ({
    feature: group[0]!.feature,
    value: group[0]!.value,
    replica: replicaName(options, group[0]!.replica),
    probability: rounded(
      group.reduce((sum, { probability }) => sum + probability, 0) / group.length,
    ),
  }));
  const series = { field: "replica", type: "nominal", title: "Replica" } as const;
  const panel = (feature: DependenceValue["feature"], xTitle: string, yTitle: string): Panel => ({
    width: 320,
    height: 230,
    transform: [{ filter: { field: "feature", equal: feature } }],
    mark: { type: "line", point: { size: 24 }, tooltip: true },
    encoding: {
      x: {
        field: "value",
        type: "quantitative",
        title: xTitle,
        scale: { type: "symlog", constant: feature === "prompt_tokens" ? 16 : 2, nice: false },
        axis: {
          format: ",d",
          values: [
            ...new Set(values.flatMap((entry) => entry.feature === feature ? entry.value : [])),
          ],
        },
      },
      y: {
        field: "probability",
        type: "quantitative",
        title: yTitle,
        scale: { domain: [0, 1] },
        axis: { format: "%" },
      },
      color: { ...series, scale: colorScale(names), legend: DASH_LEGEND },
      strokeDash: { ...series, scale: dashScale(names) },
    },
  });
  const present = new Set(points.map((point) => point.feature));
  const panels = [
    panel("prompt_tokens", "Prompt tokens of the request", "Probability of the replica"),
    panel("outstanding_requests", "Requests at the replica itself", "Its probability"),
  ].filter((_, i) => present.has((["prompt_tokens", "outstanding_requests"] as const)[i]!));
  return makeChart({
    title: {
      text: "What the policy looks at",
      subtitle: "Partial dependence: mean probability with one thing changed, all else as it was.",
    },
    data: { values },
    spacing: 36,
    hconcat: panels,
  });
}
