/** What `deno task monitor` knows of a run. */
import type { RowOf } from "../metrics/mod.ts";
import type { trainingTableSchema } from "../sweep/mod.ts";
import type { TrainingWarning } from "../training/mod.ts";
import type { Progress } from "./_progress_file.ts";

/** An update, with the columns of `training.parquet`. */
export type UpdateRow = RowOf<typeof trainingTableSchema>;

/** A warning of an update. */
export interface RunWarning {
  /** Update, from 1. */
  readonly update: number;
  /** What it is about. */
  readonly kind: TrainingWarning["kind"];
}

/** A run of `deno task train` or `deno task sweep`. */
export interface RunStatus {
  /** Which command. */
  readonly command: "train" | "sweep";
  /** Its output folder. */
  readonly folder: string;
  /** A run that was killed is interrupted, whatever its files say. */
  readonly status: Progress["status"];
  /** What a failed run died of. */
  readonly error: string | null;
  /** What `done` and `total` count. */
  readonly unit: "updates" | "trials";
  /** Updates or trials done. */
  readonly done: number;
  /** Updates or trials in all. */
  readonly total: number;
  /** Training decisions taken; of a sweep those of finished trials. */
  readonly decisions: number;
  /** Training decisions in all. */
  readonly decisionCount: number;
  /** Since the run began or was resumed; null before there is something to measure. */
  readonly decisionsPerSecond: number | null;
  /** Seconds since the run began or was resumed, to now or to its end. */
  readonly elapsedSeconds: number;
  /** Seconds that are left at this pace; null when nobody knows. */
  readonly etaSeconds: number | null;
  /** Updates of the run, or of the trial of a sweep that finished last. */
  readonly updates: readonly UpdateRow[];
  /** Their warnings. */
  readonly warnings: readonly RunWarning[];
}

/** Kinds of warnings as rows hold them. */
export function warningsOf(updates: readonly UpdateRow[]): RunWarning[] {
  return updates.flatMap(({ update, warnings }) =>
    warnings.split(" ").filter((kind) => kind !== "")
      .map((kind) => ({ update, kind: kind as RunWarning["kind"] }))
  );
}
