import type { BlockDraw, EvaluationRun } from "./_block_draw.ts";
import type { PairedSample } from "./paired_block_bootstrap.ts";

/** Values of one evaluation run under one policy. */
export interface Column {
  /** In order of arrival, `[requests]`. */
  readonly values: Float64Array;
  /** The run that they are of. */
  readonly run: EvaluationRun;
  /** The samples that hold them, ascending. */
  readonly samples: readonly number[];
}

/**
 * Copies the values under one policy. Samples of a run that hold one and the same array share a
 * column, and what is computed of a column is computed once: an untrained baseline is the same
 * under every training seed.
 */
export function columnsOf(
  samples: readonly PairedSample[],
  policy: "baseline" | "candidate",
  { runs }: BlockDraw,
): Column[] {
  return [...Map.groupBy(samples.keys(), (sample) => runs[sample]!)].flatMap(([run, ofRun]) =>
    [...Map.groupBy(ofRun, (sample) => samples[sample]![policy])].map(([values, sharing]) => ({
      values: Float64Array.from(values),
      run,
      samples: sharing,
    }))
  );
}

/** How often the training seeds of the column's samples are in the current draw. */
export function weightOf({ samples }: Column, { sampleWeights }: BlockDraw): number {
  let weight = 0;
  for (const sample of samples) weight += sampleWeights[sample]!;
  return weight;
}
