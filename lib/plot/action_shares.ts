/**
 * Where each policy sends its requests.
 *
 * @module
 */
import { namesOfReplicas, replicaBarColor } from "./_replicas.ts";
import { rounded } from "./_series.ts";
import { type Chart, makeChart } from "./chart.ts";
import type { ReplicaNameOptions } from "./replica_names.ts";
import { PALETTE, textColorOn } from "./theme.ts";

/** Shares of one policy. */
export interface PolicyShares {
  /** Policy. */
  readonly policy: string;
  /** Share of the requests that each replica got, `[replicas]`; sums to 1. */
  readonly replicaShares: readonly number[];
}

/**
 * Share of the requests that each replica got, one stacked bar a policy.
 *
 * @param shares One entry a policy, in order from top to bottom; {@linkcode comparePolicies} returns
 * such records.
 * @param options Names.
 * @returns A chart with its data inside.
 *
 * @example
 * ```ts
 * import { actionShares, renderSvg } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const chart = actionShares(
 *   [{ policy: "random", replicaShares: [0.52, 0.48] }],
 *   { replicaNames: ["H100", "A40"] },
 * );
 * assert.match(await renderSvg(chart), /52%/);
 * ```
 */
export function actionShares(
  shares: readonly PolicyShares[],
  options: ReplicaNameOptions = {},
): Chart {
  const replicaCount = Math.max(0, ...shares.map((entry) => entry.replicaShares.length));
  const names = namesOfReplicas(options, replicaCount);
  const values = shares.flatMap(({ policy, replicaShares }) => {
    let from = 0;
    return replicaShares.map((share, replica) => {
      const start = from;
      from += share;
      return {
        policy,
        replica: names[replica]!,
        share: rounded(share),
        from: rounded(start),
        to: rounded(from),
        middle: rounded(start + share / 2),
        ink: textColorOn(PALETTE[replica % PALETTE.length]!),
      };
    });
  });
  const y = {
    field: "policy",
    type: "nominal",
    sort: shares.map((entry) => entry.policy),
    title: null,
    axis: { labelLimit: 220, labelFontSize: 12 },
  } as const;
  return makeChart({
    title: { text: "Action shares", subtitle: "Share of the requests that each replica got." },
    width: 560,
    height: 28 * shares.length,
    data: { values },
    layer: [
      {
        mark: { type: "bar", height: { band: 0.74 }, cornerRadiusEnd: 0, tooltip: true },
        encoding: {
          y,
          x: {
            field: "from",
            type: "quantitative",
            title: "Share of requests",
            axis: { format: "%" },
            scale: { domain: [0, 1] },
          },
          x2: { field: "to" },
          color: replicaBarColor(names),
        },
      },
      {
        // Shares below 6 % leave no room for their label; the tooltip has them.
        transform: [{ filter: "datum.share >= 0.06" }],
        mark: { type: "text", fontSize: 11, fontWeight: 600 },
        encoding: {
          y,
          x: { field: "middle", type: "quantitative" },
          text: { field: "share", type: "quantitative", format: ".0%" },
          color: { field: "ink", type: "nominal", scale: null },
        },
      },
    ],
  });
}
