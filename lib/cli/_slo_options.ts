/** Latency targets on a command line. */
import type { Command } from "commander";
import { measureSloAttainment } from "../metrics/mod.ts";
import type { SimulationResult } from "../simulator/mod.ts";
import type { RequestSlos, Workload } from "../workload/mod.ts";
import { parseSeconds } from "./_arguments.ts";

const parseTarget = parseSeconds("a latency target");

/** What {@linkcode addSloOptions} adds. */
export interface SloOptions {
  /** Target of all requests, in seconds. */
  readonly sloTtft?: number;
  /** 〃 */
  readonly sloTpot?: number;
  /** 〃 */
  readonly sloE2e?: number;
}

/** Adds `--slo-ttft`, `--slo-tpot` and `--slo-e2e`. */
export function addSloOptions(program: Command): Command {
  const own = "instead of the requests' own";
  return program
    .option("--slo-ttft <seconds>", `limit of the time to first token, ${own}`, parseTarget)
    .option("--slo-tpot <seconds>", `limit of the time per output token, ${own}`, parseTarget)
    .option("--slo-e2e <seconds>", `limit of the end-to-end latency, ${own}`, parseTarget);
}

/** The workload with the targets of the command line in place of its own. */
export function withSlos(workload: Workload, options: SloOptions): Workload {
  const all = (seconds: number): Float64Array => new Float64Array(workload.count).fill(seconds);
  const slos: RequestSlos = {
    ...workload.slos,
    ...(options.sloTtft !== undefined && { ttftSeconds: all(options.sloTtft) }),
    ...(options.sloTpot !== undefined && { tpotSeconds: all(options.sloTpot) }),
    ...(options.sloE2e !== undefined && { e2eSeconds: all(options.sloE2e) }),
  };
  return Object.keys(slos).length === 0 ? workload : { ...workload, slos };
}

/** Lines of a table of one run; none without targets. */
export function attainmentRows(
  workload: Workload,
  { outcomes, endSeconds }: SimulationResult,
): [name: string, value: number][] {
  const { slos } = workload;
  if (slos === undefined) return [];
  const { ttftSeconds, tpotSeconds, e2eSeconds } = slos;
  const kept = measureSloAttainment(workload, outcomes, slos, endSeconds);
  const rows: [string, number][] = [];
  if (ttftSeconds) rows.push([`ttft <= ${target(ttftSeconds)}`, kept.ttftFraction]);
  if (tpotSeconds) rows.push([`tpot <= ${target(tpotSeconds)}`, kept.tpotFraction]);
  if (e2eSeconds) rows.push([`e2e <= ${target(e2eSeconds)}`, kept.e2eFraction]);
  rows.push(["all targets met", kept.allFraction]);
  rows.push(["goodput requests per second", kept.goodputPerSecond]);
  return rows;
}

function target(seconds: Float64Array): string {
  return seconds.every((one) => one === seconds[0]) ? `${seconds[0]} s` : "own target";
}
