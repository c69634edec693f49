/**
 * Which requests a policy sends where, when the cluster is calm and when it is busy.
 *
 * @module
 */
import type { Table } from "apache-arrow";
import { columnNumbers, columnStrings } from "../metrics/mod.ts";
import { quantile } from "../stats/mod.ts";
import { namesOfReplicas, replicaBarColor } from "./_replicas.ts";
import { rounded } from "./_series.ts";
import { type Chart, makeChart } from "./chart.ts";
import type { ReplicaNameOptions } from "./replica_names.ts";

/** Share of the requests of one kind that a replica got. */
export interface RoutingShare {
  /** Policy. */
  readonly policy: string;
  /** Range of prompt tokens, e.g. `"100-400"`. */
  readonly prompt: string;
  /** Range of requests in the cluster at arrival, e.g. `"calm, < 20"`. */
  readonly load: string;
  /** Replica. */
  readonly replica: number;
  /** Share, in [0, 1]; sums to 1 over replicas. */
  readonly share: number;
  /** Requests of this kind. */
  readonly requestCount: number;
}

/** How {@linkcode countRoutingShares} divides. */
export interface RoutingShareOptions {
  /** Policies; those of the table in order of appearance by default. */
  readonly policies?: readonly string[];
  /** Ranges of prompt lengths, of about equal numbers of requests; 6 by default. */
  readonly promptRanges?: number;
}

/** Thirds of the requests by what they found on arrival. */
const LOADS = ["calm", "usual", "busy"] as const;

/**
 * Share of the requests that each replica got, by prompt length and by the number of requests in the
 * cluster when they arrived. Ranges are quantiles over all policies named, so that policies are
 * divided alike; the load is each policy's own doing.
 *
 * @param requests Table with the columns of `requestsSchema`.
 * @returns Rows by policy, load, prompt range and replica.
 * @throws {RangeError} When the policies have no request.
 *
 * @example
 * ```ts
 * import { tableFromRows } from "@signalbox/signalbox/metrics";
 * import { countRoutingShares } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const schema = {
 *   policy: "utf8",
 *   training_seed: "int64?",
 *   evaluation_seed: "int64",
 *   arrival_seconds: "float64",
 *   completed_seconds: "float64?",
 *   prompt_tokens: "int32",
 *   replica: "int32?",
 * } as const;
 * const rows = [10, 900, 20, 800].map((prompt, i) => ({
 *   policy: "by size",
 *   training_seed: null,
 *   evaluation_seed: 1,
 *   arrival_seconds: 10 * i,
 *   completed_seconds: 10 * i + 1,
 *   prompt_tokens: prompt,
 *   replica: prompt > 100 ? 0 : 1,
 * }));
 * const shares = countRoutingShares(tableFromRows(schema, rows), { promptRanges: 2 });
 * assert.deepEqual(shares.map(({ prompt, replica, share }) => [prompt, replica, share]), [
 *   ["10-409", 0, 0],
 *   ["10-409", 1, 1],
 *   ["410-900", 0, 1],
 *   ["410-900", 1, 0],
 * ]);
 * ```
 */
export function countRoutingShares(
  requests: Table,
  options: RoutingShareOptions = {},
): RoutingShare[] {
  const owners = columnStrings(requests, "policy").map(String);
  const policies = options.policies ?? [...new Set(owners)];
  const prompts = columnNumbers(requests, "prompt_tokens");
  const replicas = columnNumbers(requests, "replica");
  const loads = clusterLoads(requests, owners);
  const rows = owners.flatMap((owner, i) =>
    policies.includes(owner) && !Number.isNaN(replicas[i]!) ? [i] : []
  );
  if (rows.length === 0) {
    throw new RangeError(
      `Cannot count shares: one of ${policies.join(", ")} must have a request, current count is 0`,
    );
  }
  const promptBins = makeBins(rows.map((i) => prompts[i]!), options.promptRanges ?? 6);
  const loadBins = makeBins(rows.map((i) => loads[i]!), LOADS.length);
  const replicaCount = 1 + rows.reduce((most, i) => Math.max(most, replicas[i]!), 0);
  return policies.flatMap((policy) =>
    loadBins.names.flatMap((loadName, loadBin) =>
      promptBins.names.flatMap((prompt, promptBin) => {
        const own = rows.filter((i) =>
          owners[i] === policy && loadBins.of(loads[i]!) === loadBin &&
          promptBins.of(prompts[i]!) === promptBin
        );
        if (own.length === 0) return [];
        const load = loadBins.names.length === LOADS.length
          ? `${LOADS[loadBin]}: ${loadName}`
          : loadName;
        return Array.from({ length: replicaCount }, (_, replica) => ({
          policy,
          prompt,
          load,
          replica,
          share: own.filter((i) => replicas[i] === replica).length / own.length,
          requestCount: own.length,
        }));
      })
    )
  );
}

/**
 * Stacked bars: the replicas' shares by prompt length, one row a load and one column a policy.
 *
 * @param shares What {@linkcode countRoutingShares} returned.
 * @param options Names.
 * @returns A chart with its data inside.
 *
 * @example
 * ```ts
 * import { renderSvg, routingShares } from "@signalbox/signalbox/plot";
 * import assert from "node:assert/strict";
 *
 * const share = { policy: "ppo", prompt: "1-99", load: "calm: 0-3", requestCount: 7 };
 * const chart = routingShares([
 *   { ...share, replica: 0, share: 0.75 },
 *   { ...share, replica: 1, share: 0.25 },
 * ]);
 * assert.match(await renderSvg(chart), /Prompt tokens/);
 * ```
 */
export function routingShares(
  shares: readonly RoutingShare[],
  options: ReplicaNameOptions = {},
): Chart {
  const replicaCount = 1 + Math.max(-1, ...shares.map((entry) => entry.replica));
  const names = namesOfReplicas(options, replicaCount);
  const prompts = [...new Set(shares.map((entry) => entry.prompt))];
  return makeChart({
    title: {
      text: "Which requests go where",
      subtitle:
        "Rows: requests in the cluster on arrival. Colour: the replica that got the request.",
    },
    data: {
      values: shares.map((entry) => ({
        ...entry,
        share: rounded(entry.share),
        replica: names[entry.replica]!,
        order: entry.replica,
      })),
    },
    facet: {
      row: {
        field: "load",
        type: "nominal",
        title: null,
        sort: [...new Set(shares.map((entry) => entry.load))],
        header: { labelAngle: 0, labelAlign: "left" },
      },
      column: {
        field: "policy",
        type: "nominal",
        title: null,
        sort: [...new Set(shares.map((entry) => entry.policy))],
      },
    },
    spec: {
      width: Math.max(120, 34 * prompts.length),
      height: 100,
      mark: { type: "bar", cornerRadiusEnd: 0, tooltip: true },
      encoding: {
        x: {
          field: "prompt",
          type: "ordinal",
          sort: prompts,
          title: "Prompt tokens",
          axis: { labelAngle: -45 },
        },
        y: {
          field: "share",
          type: "quantitative",
          title: null,
          axis: { format: "%", tickCount: 3 },
          scale: { domain: [0, 1] },
        },
        order: { field: "order" },
        color: replicaBarColor(names),
      },
    },
  });
}

/** Requests that had arrived and not completed when each request arrived, `[rows]`. */
function clusterLoads(requests: Table, owners: readonly string[]): Float64Array {
  const training = columnNumbers(requests, "training_seed");
  const evaluation = columnNumbers(requests, "evaluation_seed");
  const arrival = columnNumbers(requests, "arrival_seconds");
  const completed = columnNumbers(requests, "completed_seconds");
  const loads = new Float64Array(owners.length);
  const runs = Map.groupBy(
    owners.keys(),
    (i) => `${evaluation[i]}/${training[i]}/${owners[i]}`,
  );
  for (const rows of runs.values()) {
    const byArrival = [...rows].sort((a, b) => arrival[a]! - arrival[b]!);
    const ends = Float64Array.from(byArrival, (i) => completed[i]!).sort();
    let ended = 0;
    byArrival.forEach((i, arrived) => {
      while (ended < ends.length && ends[ended]! <= arrival[i]!) ended++;
      loads[i] = arrived - ended;
    });
  }
  return loads;
}

/** Ranges between quantiles, empty ones left out. */
function makeBins(
  values: readonly number[],
  count: number,
): { readonly names: readonly string[]; of(value: number): number } {
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const inner = Array.from(
    { length: count - 1 },
    (_, k) => Math.ceil(quantile(values, (k + 1) / count)),
  );
  const starts = [...new Set([least, ...inner.filter((start) => start > least)])];
  const names = starts.map((start, k) =>
    `${start}-${k + 1 < starts.length ? starts[k + 1]! - 1 : most}`
  );
  return { names, of: (value) => starts.findLastIndex((start) => value >= start) };
}
