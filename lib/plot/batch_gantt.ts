/**
 * What every replica was busy with, when.
 *
 * @module
 */
import { replicaName } from "./_replicas.ts";
import { rounded } from "./_series.ts";
import type { BatchBar } from "./batch_recorder.ts";
import { type Chart, makeChart } from "./chart.ts";
import type { ReplicaNameOptions } from "./replica_names.ts";
import { PALETTE } from "./theme.ts";

/** Kinds of batches in the order of their colours. */
const KINDS = ["prefill", "mixed", "decode"] as const;

/**
 * Gantt chart of batches: one lane a replica and pipeline stage, one bar a batch, coloured by
 * whether it computed prompts, output tokens or both. Gaps are idle time.
 *
 * @param batches From a {@linkcode BatchRecorder}; record a window of a few seconds to see batches.
 * @param options Names.
 * @returns A chart with its data inside.
 * @throws {RangeError} When there is no batch.
 *
 * @example
 * ```ts
 * import { batchGantt, renderSvg } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const batch = { replica: 0, stage: 0, requestCount: 1, prefillTokens: 512, decodeTokens: 0 };
 * const chart = batchGantt([{ ...batch, startSeconds: 0, endSeconds: 0.08 }]);
 * assert.match(await renderSvg(chart), /replica 0/);
 * ```
 */
export function batchGantt(batches: readonly BatchBar[], options: ReplicaNameOptions = {}): Chart {
  if (batches.length === 0) {
    throw new RangeError(
      "Cannot draw batches: batches must hold at least one batch, current length is 0",
    );
  }
  const hasStages = batches.some((batch) => batch.stage > 0);
  const laneOf = ({ replica, stage }: BatchBar): string => {
    const name = replicaName(options, replica);
    return hasStages ? `${name}, stage ${stage}` : name;
  };
  const inOrder = [...batches].sort((a, b) => a.replica - b.replica || a.stage - b.stage);
  const lanes = [...new Set(inOrder.map(laneOf))];
  const values = batches.map((batch) => ({
    lane: laneOf(batch),
    start: rounded(batch.startSeconds),
    end: rounded(batch.endSeconds),
    kind: batch.decodeTokens === 0 ? "prefill" : batch.prefillTokens === 0 ? "decode" : "mixed",
    requests: batch.requestCount,
    prefill: batch.prefillTokens,
    decode: batch.decodeTokens,
  }));
  return makeChart({
    title: { text: "Batches per replica", subtitle: "One bar a batch; gaps are idle time." },
    width: 720,
    height: 34 * lanes.length,
    data: { values },
    mark: { type: "bar", height: { band: 0.78 }, cornerRadiusEnd: 0, strokeWidth: 0.4 },
    encoding: {
      x: {
        field: "start",
        type: "quantitative",
        title: "Simulated time (s)",
        scale: { zero: false, nice: false },
        axis: { grid: true },
      },
      x2: { field: "end" },
      y: {
        field: "lane",
        type: "nominal",
        title: null,
        sort: lanes,
        axis: { labelFontSize: 12 },
      },
      color: {
        field: "kind",
        type: "nominal",
        title: "Batch",
        scale: { domain: [...KINDS], range: [PALETTE[6]!, PALETTE[1]!, PALETTE[0]!] },
      },
      stroke: { value: "white" },
      tooltip: [
        { field: "lane", title: "Replica" },
        { field: "start", title: "Start (s)", type: "quantitative" },
        { field: "end", title: "End (s)", type: "quantitative" },
        { field: "requests", title: "Requests", type: "quantitative" },
        { field: "prefill", title: "Prompt tokens", type: "quantitative" },
        { field: "decode", title: "Output tokens", type: "quantitative" },
      ],
    },
  });
}
