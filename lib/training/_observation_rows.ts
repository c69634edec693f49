import { type RunningNormalizer, sharedStatisticSlots } from "../state/mod.ts";
import type { Environment, ReplicaObservation } from "./environment.ts";

/** Shape of a batch of observations. */
export interface BatchShape {
  /** Width D of a row. */
  readonly observationSize: number;
  /** Actions A. */
  readonly actionCount: number;
  /** Present where environments have different numbers of replicas: that of the largest. */
  readonly layout?: ReplicaObservation;
}

/**
 * The shape that all environments fit into: their own, or where they differ in the number of
 * replicas only, that of the largest.
 *
 * @throws {RangeError} When they do not fit together.
 */
export function commonShape(environments: readonly Environment[]): BatchShape {
  const largest = environments.reduce((a, b) => b.actionCount > a.actionCount ? b : a);
  const { observationSize, actionCount, layout } = largest;
  const others = environments.filter((each) =>
    each.observationSize !== observationSize || each.actionCount !== actionCount
  );
  if (others.length === 0) return { observationSize, actionCount };
  for (const each of others) {
    const fits = layout !== undefined && each.layout?.perReplicaSize === layout.perReplicaSize &&
      each.layout.globalSize === layout.globalSize;
    if (!fits) {
      throw new RangeError(
        `Cannot create a vector environment: every environment must have ${observationSize} features and ${actionCount} actions, or the same layout for another number of replicas, current value is ${each.observationSize} and ${each.actionCount}`,
      );
    }
  }
  return { observationSize, actionCount, layout: layout! };
}

/**
 * Observations of N environments as rows of one batch. Rows of environments with fewer replicas are
 * normalised as they are and padded with zeros between their last replica and the rest, so that the
 * padding is no part of any statistic.
 */
export class ObservationRows {
  /** `[N, D]`, normalised and padded. */
  readonly observations: Float32Array;
  /** Where each environment writes. */
  readonly raw: readonly Float32Array[];
  readonly #normalizer: RunningNormalizer | undefined;
  /** All of `raw` side by side, where all rows have the same width. */
  readonly #uniform: Float32Array | undefined;
  /** The normaliser for each row's width, where they differ. */
  readonly #normalizers: readonly (RunningNormalizer | undefined)[];
  readonly #globalSize: number;
  readonly #width: number;

  /** @throws {RangeError} When the normaliser does not fit. */
  constructor(
    environments: readonly Environment[],
    { observationSize, layout }: BatchShape,
    normalizer: RunningNormalizer | undefined,
  ) {
    if (normalizer !== undefined && normalizer.size !== observationSize) {
      throw new RangeError(
        `Cannot create a vector environment: normalizer.size must be ${observationSize}, current value is ${normalizer.size}`,
      );
    }
    const count = environments.length;
    this.#width = observationSize;
    this.#normalizer = normalizer;
    this.#globalSize = layout?.globalSize ?? 0;
    const flat = new Float32Array(count * observationSize);
    if (layout === undefined) {
      this.#uniform = flat;
      this.#normalizers = [];
      this.raw = environments.map((_, n) => rowOf(flat, n, observationSize));
      this.observations = normalizer === undefined ? flat : new Float32Array(flat.length);
    } else {
      this.#uniform = undefined;
      this.#normalizers = environments.map((each) =>
        normalizer?.withSlots(sharedStatisticSlots({ ...layout, size: each.observationSize }))
      );
      this.raw = environments.map((each) => new Float32Array(each.observationSize));
      this.observations = flat;
    }
  }

  /** Takes the raw rows into the statistics, in order, unless these are frozen. */
  learn(): void {
    const normalizer = this.#normalizer;
    if (normalizer === undefined || normalizer.frozen) return;
    if (this.#uniform !== undefined) normalizer.update(this.#uniform);
    else this.raw.forEach((row, n) => this.#normalizers[n]!.update(row));
  }

  /** Brings `observations` up to date with the raw rows. */
  normalize(): void {
    if (this.#uniform === undefined) {
      this.raw.forEach((_, n) => this.write(n, rowOf(this.observations, n, this.#width)));
    } else {
      this.#normalizer?.normalize(this.#uniform, this.observations);
    }
  }

  /** Writes one environment's row, normalised and padded. */
  write(n: number, target: Float32Array): void {
    const row = this.raw[n]!;
    if (this.#uniform !== undefined) {
      if (this.#normalizer === undefined) target.set(row);
      else this.#normalizer.normalize(row, target);
      return;
    }
    const scaled = this.#normalizers[n]?.normalize(row, new Float32Array(row.length)) ?? row;
    const replicaPart = row.length - this.#globalSize;
    target.fill(0);
    target.set(scaled.subarray(0, replicaPart));
    target.set(scaled.subarray(replicaPart), target.length - this.#globalSize);
  }
}

/** View of one row of a row-major array. */
export function rowOf<Values extends Float32Array | Uint8Array>(
  values: Values,
  row: number,
  width: number,
): Values {
  return values.subarray(row * width, (row + 1) * width) as Values;
}
