/** Evaluation runs of a table of requests, and pairs of them. */
import type { Table } from "apache-arrow";
import type { PairedSample } from "../stats/mod.ts";
import { columnNumbers, columnStrings } from "./columns.ts";

/** One evaluation run, its requests in order of arrival; `NaN` where a request did not complete. */
export interface Run {
  /** Policy, as in the `policy` column. */
  readonly policy: string;
  /** Seed it was trained with; -1 when it was not trained. */
  readonly trainingSeed: number;
  /** Seed of the arrivals. */
  readonly evaluationSeed: number;
  /** Seconds. */
  readonly arrival: number[];
  /** Seconds from arrival to last token. */
  readonly e2e: number[];
  /** Seconds from arrival to first token. */
  readonly ttft: number[];
  /** Replica that served the request. */
  readonly replica: number[];
  /** 1 where the targets were met, 0 where not, `NaN` where there were none. */
  readonly meetsSlo: number[];
}

/** The runs of a table with the columns of {@linkcode requestsSchema}, in order of appearance. */
export function groupRuns(requests: Table): Run[] {
  const policies = columnStrings(requests, "policy");
  const trainingSeeds = columnNumbers(requests, "training_seed");
  const evaluationSeeds = columnNumbers(requests, "evaluation_seed");
  const arrival = columnNumbers(requests, "arrival_seconds");
  const e2e = columnNumbers(requests, "e2e_seconds");
  const ttft = columnNumbers(requests, "ttft_seconds");
  const replica = columnNumbers(requests, "replica");
  const meetsSlo = requests.getChild("meets_slo");
  const runs = new Map<string, Run>();
  policies.forEach((policy, i) => {
    const trainingSeed = trainingSeeds[i]!;
    const evaluationSeed = evaluationSeeds[i]!;
    const key = `${evaluationSeed}/${trainingSeed}/${policy}`;
    let run = runs.get(key);
    if (run === undefined) {
      run = {
        policy: policy!,
        trainingSeed: Number.isNaN(trainingSeed) ? -1 : trainingSeed,
        evaluationSeed,
        arrival: [],
        e2e: [],
        ttft: [],
        replica: [],
        meetsSlo: [],
      };
      runs.set(key, run);
    }
    run.arrival.push(arrival[i]!);
    run.e2e.push(e2e[i]!);
    run.ttft.push(ttft[i]!);
    run.replica.push(replica[i]!);
    const met: boolean | null = meetsSlo?.get(i) ?? null;
    run.meetsSlo.push(met === null ? Number.NaN : Number(met));
  });
  return [...runs.values()];
}

/** The same runs under two policies, by latency. */
export interface PairedRuns {
  /** End-to-end latency. */
  readonly e2e: readonly PairedSample[];
  /** Time to first token. */
  readonly ttft: readonly PairedSample[];
}

/**
 * The latencies of a policy's runs beside the reference's on the same requests; a request
 * that one of the runs on an evaluation seed left unfinished is left out of all of them.
 */
export function pairRuns(
  runs: readonly Run[],
  references: ReadonlyMap<number, Run>,
  name: string,
): PairedRuns {
  const isPaired = new Map<number, boolean[]>();
  for (const run of runs) {
    const reference = references.get(run.evaluationSeed);
    if (reference === undefined || reference.e2e.length !== run.e2e.length) {
      throw new RangeError(
        `Cannot compare policies: ${name} must have run on the ${run.e2e.length} requests of evaluation seed ${run.evaluationSeed}, as ${run.policy} has, current count is ${
          reference?.e2e.length ?? 0
        }`,
      );
    }
    const before = isPaired.get(run.evaluationSeed);
    const here = run.e2e.map((seconds, i) =>
      Number.isFinite(seconds + reference.e2e[i]!) && (before?.[i] ?? true)
    );
    isPaired.set(run.evaluationSeed, here);
  }
  const kept = (run: Run, column: "e2e" | "ttft"): number[] => {
    const mask = isPaired.get(run.evaluationSeed)!;
    return run[column].filter((_, i) => mask[i]);
  };
  const pair = (column: "e2e" | "ttft"): PairedSample[] => {
    // One array for all training seeds, by which the bootstrap sees that it is the same run.
    const baselines = new Map(
      [...isPaired.keys()].map((seed) => [seed, kept(references.get(seed)!, column)]),
    );
    return runs.map((run) => ({
      trainingSeed: run.trainingSeed,
      evaluationSeed: run.evaluationSeed,
      baseline: baselines.get(run.evaluationSeed)!,
      candidate: kept(run, column),
    }));
  };
  return { e2e: pair("e2e"), ttft: pair("ttft") };
}
