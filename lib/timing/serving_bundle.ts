/**
 * Profiles in the format of LLMServingSim.
 *
 * @module
 */
import { TraceError } from "../support/mod.ts";
import { AttentionGrid, type AttentionPoint } from "./_attention_grid.ts";
import { readBundlePoints, sumOperations } from "./_bundle_points.ts";
import { Curve, type CurvePoint } from "./_curve.ts";
import { skewShare } from "./_skew_shares.ts";

/** Measured times of one model on one GPU, in seconds, interpolated; each non-decreasing. */
export interface ServingBundle {
  /** GPUs that share each layer in these measurements: times are of one of them. */
  readonly tensorParallel: number;
  /** Matrix products, norms, rotary embedding and activation of one layer for `tokens` tokens. */
  layerSeconds(tokens: number): number;
  /** Embedding and last norm for `tokens` tokens. */
  endSeconds(tokens: number): number;
  /** Output matrix and sampler for `sequences` sequences. */
  samplingSeconds(sequences: number): number;
  /**
   * Attention of one layer for a chunk of `chunkTokens` prompt tokens with `contextTokens` cached
   * before it, beside `decodeCount` decodes with `decodeContextTokens` cached tokens each.
   */
  attentionSeconds(
    chunkTokens: number,
    contextTokens: number,
    decodeCount: number,
    decodeContextTokens: number,
  ): number;
  /**
   * Share `a` in `t = t_mean + a (t_max - t_mean)` for decodes of unequal context, where `t_mean`
   * and `t_max` are the times at the mean and at the longest; 0 where it was not measured.
   */
  skewShare(decodeCount: number, besideChunk: boolean): number;
  /**
   * Seconds of every operation by its name in the tables: those of one layer and at the ends by
   * tokens, sampling by sequences. Their sums are close to those above, which were interpolated as
   * a whole.
   */
  readonly operations: Readonly<
    Record<"layer" | "ends" | "sampling", ReadonlyMap<string, (count: number) => number>>
  >;
}

/**
 * Reads a bundle: `dense.csv` (`layer, tokens, time_us`), `per_sequence.csv` (`layer, sequences,
 * time_us`), `attention.csv` (`prefill_chunk, kv_prefill, n_decode, kv_decode, time_us`) and, where
 * there is one and `meta.yaml` does not say that it is disabled, `skew_fit.csv` (`pc, n_label,
 * skew_rate_label, alpha, n_samples`). Operations of one kind must be measured at the same counts.
 *
 * Source: the profiles of LLMServingSim (KAIST CASYS), https://github.com/casys-kaist/LLMServingSim.
 *
 * @param folder The folder of `meta.yaml`.
 * @param tensorParallel Its tables are those of the sub-folder `tp<tensorParallel>`; where there is
 *   none, those of the folder itself, which are taken for one GPU's.
 * @throws {TraceError} When a file cannot be read, or an operation is unknown or not measured.
 */
export async function readServingBundle(
  folder: string,
  tensorParallel = 1,
): Promise<ServingBundle> {
  const points = await readBundlePoints(folder, tensorParallel);
  const layer = new Curve(sumOperations(`${points.tables}/dense.csv`, points.layer));
  const ends = new Curve(sumOperations(`${points.tables}/dense.csv`, points.ends));
  const sampling = new Curve(sumOperations(`${points.tables}/per_sequence.csv`, points.sampling));
  const attention = toGrid(points.attention, `${points.tables}/attention.csv`);
  return {
    tensorParallel: points.tensorParallel,
    layerSeconds: (tokens) => layer.at(tokens),
    endSeconds: (tokens) => ends.at(tokens),
    samplingSeconds: (sequences) => sampling.at(sequences),
    attentionSeconds: (chunkTokens, contextTokens, decodeCount, decodeContextTokens) =>
      attention.at(chunkTokens, contextTokens, decodeCount, decodeContextTokens),
    skewShare: (decodeCount, besideChunk) => skewShare(points.skew, decodeCount, besideChunk),
    operations: {
      layer: toCurves(points.layer),
      ends: toCurves(points.ends),
      sampling: toCurves(points.sampling),
    },
  };
}

function toCurves(
  operations: ReadonlyMap<string, readonly CurvePoint[]>,
): Map<string, (count: number) => number> {
  return new Map([...operations].map(([name, points]) => {
    const curve = new Curve(points);
    return [name, (count) => curve.at(count)];
  }));
}

function toGrid(points: readonly AttentionPoint[], path: string): AttentionGrid {
  try {
    return new AttentionGrid(points);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TraceError(path, 0, error.message);
  }
}
