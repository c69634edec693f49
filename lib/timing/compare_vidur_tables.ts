/**
 * Interpolated profiles beside what Vidur's regressors make of the same measurements.
 *
 * @module
 */
import { type FitError, fitErrorOf, type FitPair } from "./_fit_error.ts";
import { vidurLayerOperations } from "./_vidur_points.ts";
import type { VidurProfile } from "./vidur_profile.ts";
import type { VidurGrid, VidurTables } from "./vidur_tables.ts";

/** How far an operation's interpolated times are from Vidur's table. */
export interface TableComparison extends FitError {
  /** Name of the operation, as Vidur calls it. */
  readonly operation: string;
}

/** Of a table of prompts, every so many chunks are compared. */
const CHUNK_STEP = 7;

/**
 * Compares every time of Vidur's predictor tables that is > 0 with the profile's: `|interpolated /
 * Vidur's - 1|`, operation by operation. Of prefill attention the sequences up to `maxTokens` count,
 * as long as those that were profiled, at every seventh chunk.
 *
 * @param maxTokens Longest profiled sequence.
 * @returns A row for every operation that both have, in the order of Vidur's profiles.
 */
export function compareVidurTables(
  profile: VidurProfile,
  tables: VidurTables,
  maxTokens = 4096,
): TableComparison[] {
  const rows: TableComparison[] = [];
  const add = (operation: string, pairs: readonly FitPair[]): void => {
    const measured = pairs.filter(([, milliseconds]) => milliseconds > 0);
    if (measured.length > 0) rows.push({ operation, ...fitErrorOf(measured) });
  };
  const curve = (table: Float64Array | undefined, seconds: (tokens: number) => number): FitPair[] =>
    Array.from(table ?? [], (ms, tokens): FitPair => [seconds(tokens) * 1e3, ms]);
  for (const operation of vidurLayerOperations) {
    const seconds = (tokens: number): number => profile.operationSeconds(operation, tokens);
    add(operation, curve(tables.compute[operation], seconds));
  }
  const { allReduceSeconds, sendRecvSeconds, decodeSeconds, prefillSeconds } = profile;
  if (allReduceSeconds) add("all_reduce", curve(tables.compute.all_reduce, allReduceSeconds));
  if (sendRecvSeconds) add("send_recv", curve(tables.compute.send_recv, sendRecvSeconds));
  if (decodeSeconds) add("attn_decode", gridPairs(tables.decode, 1, decodeSeconds, Infinity));
  if (prefillSeconds) {
    add("attn_prefill", gridPairs(tables.prefill, CHUNK_STEP, prefillSeconds, maxTokens));
  }
  return rows;
}

/** Interpolated and tabulated milliseconds of the entries whose keys sum to at most `maxSum`. */
function gridPairs(
  grid: VidurGrid,
  step: number,
  seconds: (row: number, column: number) => number,
  maxSum: number,
): FitPair[] {
  const pairs: FitPair[] = [];
  for (let row = 0; row < grid.rows; row++) {
    for (let column = 1; column < grid.columns; column += step) {
      const keys = [row * grid.rowStep, column * grid.columnStep] as const;
      const milliseconds = grid.milliseconds[row * grid.columns + column]!;
      if (milliseconds > 0 && keys[0] + keys[1] <= maxSum) {
        pairs.push([seconds(...keys) * 1e3, milliseconds]);
      }
    }
  }
  return pairs;
}
