/**
 * Standardisation of observations with statistics gathered on the way.
 *
 * @module
 */
import { z } from "zod";
import { UsageError } from "../support/mod.ts";

/** Configuration of {@linkcode RunningNormalizer}. */
export const normalizerSchema = z.strictObject({
  clip: z.number().positive().finite().default(5).describe(
    "Largest absolute normalised value; spec/scheduler.md section 7.1",
  ),
  epsilon: z.number().positive().finite().default(1e-6).describe(
    "Smallest variance; spec/scheduler.md section 7.1",
  ),
  relativeStdFloor: z.number().nonnegative().finite().default(0.01).describe(
    "Smallest standard deviation as a share of |mean|, so that a constant's first change is not a " +
      "spike; spec/scheduler.md section 7.1",
  ),
  minCount: z.int().min(1).default(2).describe(
    "Below so many samples a standard deviation counts as at least 1; section 7.1",
  ),
  shareReplicas: z.boolean().default(true).describe(
    "One statistic for the same feature of all replicas, so that replicas stay comparable after " +
      "scaling; false: one a dimension, as in the document",
  ),
});

/** Typed form of {@linkcode normalizerSchema}. */
export type NormalizerConfig = z.infer<typeof normalizerSchema>;

/** What {@linkcode RunningNormalizer.toJSON} returns. */
export interface NormalizerState {
  /** Statistic of each dimension, `[size]`. */
  readonly slots: readonly number[];
  /** Samples per statistic. */
  readonly count: readonly number[];
  /** Means. */
  readonly mean: readonly number[];
  /** Sums of squared deviations from the mean. */
  readonly m2: readonly number[];
  /** Whether the statistics are final. */
  readonly frozen: boolean;
}

/** What has been gathered; one entry a statistic. */
interface Statistics {
  readonly count: Float64Array;
  readonly mean: Float64Array;
  readonly m2: Float64Array;
  frozen: boolean;
}

/** Settings of the arithmetic of a {@linkcode RunningNormalizer}. */
export type NormalizerOptions = Omit<NormalizerConfig, "shareReplicas">;

/**
 * Standardises each dimension by a running mean and variance (Welford's recurrence, in double
 * precision): z = clip((x - mean) / std, -c, c) with
 * std = max(sqrt(m2 / (n - 1)), sqrt(epsilon), relativeStdFloor * |mean|), and at least 1 while
 * n < minCount; without any sample z = clip(x, -c, c). A constant dimension gives exactly 0.
 *
 * Update with a sample first, then normalise it. Freeze before evaluating.
 * Sources: B. P. Welford, Technometrics 4 (1962) 419; spec/scheduler.md section 7.1.
 *
 * @example
 * ```ts
 * import { normalizerSchema, RunningNormalizer } from "@signalbox/signalbox/state";
 * import assert from "node:assert/strict";
 *
 * const normalizer = new RunningNormalizer(2, normalizerSchema.parse({}));
 * normalizer.update(Float32Array.of(1, 7, 3, 7)); // two rows
 * const z = normalizer.normalize(Float32Array.of(3, 7), new Float32Array(2));
 * assert.deepEqual([...z], [Math.fround(1 / Math.SQRT2), 0]);
 * ```
 */
export class RunningNormalizer {
  /** Dimensions of one row. */
  readonly size: number;
  readonly #options: NormalizerOptions;
  readonly #slots: Int32Array;
  #statistics: Statistics;

  /**
   * A normaliser that has seen nothing.
   *
   * @param size Dimensions of one row, >= 1.
   * @param options Clipping and floors.
   * @param slots Statistic of each dimension, `[size]`, e.g. from `sharedStatisticSlots`; each
   * dimension has its own when left out.
   * @throws {RangeError} When `size` is not a positive integer or `slots` has another length or a
   * negative entry.
   */
  constructor(size: number, options: NormalizerOptions, slots?: Int32Array) {
    if (!Number.isInteger(size) || size < 1) {
      throw new RangeError(
        `Cannot create a normalizer: size must be an integer >= 1, current value is ${size}`,
      );
    }
    if (slots !== undefined && (slots.length !== size || slots.some((slot) => slot < 0))) {
      throw new RangeError(
        `Cannot create a normalizer: slots must be ${size} integers >= 0, current value is ` +
          `[${slots}]`,
      );
    }
    this.size = size;
    this.#options = options;
    this.#slots = slots?.slice() ?? Int32Array.from({ length: size }, (_, i) => i);
    const slotCount = this.#slots.reduce((largest, slot) => Math.max(largest, slot), 0) + 1;
    this.#statistics = {
      count: new Float64Array(slotCount),
      mean: new Float64Array(slotCount),
      m2: new Float64Array(slotCount),
      frozen: false,
    };
  }

  /** Whether the statistics are final. */
  get frozen(): boolean {
    return this.#statistics.frozen;
  }

  /** Makes the statistics final: from now on {@linkcode RunningNormalizer.update} throws. */
  freeze(): void {
    this.#statistics.frozen = true;
  }

  /**
   * The same statistics for rows of another width, e.g. of a cluster of another size: what is
   * learnt from either's rows is known to both, and freezing one freezes both.
   *
   * @param slots Statistic of each dimension of those rows.
   * @throws {RangeError} When a dimension has no statistic.
   *
   * @example Two replicas, then three, with one feature each
   * ```ts
   * import { normalizerSchema, RunningNormalizer } from "@signalbox/signalbox/state";
   * import assert from "node:assert/strict";
   *
   * const pair = new RunningNormalizer(2, normalizerSchema.parse({}), Int32Array.of(0, 0));
   * const three = pair.withSlots(Int32Array.of(0, 0, 0));
   * pair.update([2, 4]);
   * assert.deepEqual([...three.means()], [3, 3, 3]);
   * ```
   */
  withSlots(slots: Int32Array): RunningNormalizer {
    const slotCount = this.#statistics.count.length;
    const unknown = slots.find((slot) => slot >= slotCount);
    if (unknown !== undefined) {
      throw new RangeError(
        `Cannot share statistics: slots must be integers below ${slotCount}, current value is ` +
          unknown,
      );
    }
    const normalizer = new RunningNormalizer(slots.length, this.#options, slots);
    normalizer.#statistics = this.#statistics;
    return normalizer;
  }

  /**
   * Takes in one or more rows, in order.
   *
   * @param rows Row-major `[rows, size]`, finite.
   * @throws {UsageError} When the statistics are frozen.
   * @throws {RangeError} When the length is not a multiple of `size` or a value is not finite.
   */
  update(rows: ArrayLike<number>): void {
    const { count, mean, m2, frozen } = this.#statistics;
    if (frozen) {
      throw new UsageError("Cannot update a normalizer: its statistics are frozen");
    }
    this.#checkLength("update a normalizer", "rows", rows.length);
    for (let i = 0; i < rows.length; i++) {
      if (!Number.isFinite(rows[i])) {
        throw new RangeError(
          `Cannot update a normalizer: dimension ${i % this.size} must be finite, current value ` +
            `is ${rows[i]}`,
        );
      }
    }
    for (let i = 0; i < rows.length; i++) {
      const x = rows[i]!;
      const slot = this.#slots[i % this.size]!;
      const n = count[slot]! + 1;
      const delta = x - mean[slot]!;
      const nextMean = mean[slot]! + delta / n;
      count[slot] = n;
      mean[slot] = nextMean;
      m2[slot]! += delta * (x - nextMean);
    }
  }

  /**
   * Normalises rows with the statistics as they are.
   *
   * @param rows Row-major `[rows, size]`.
   * @param out Receives `[rows, size]`; may be `rows` itself.
   * @returns `out`.
   * @throws {RangeError} When the lengths differ or are not a multiple of `size`.
   */
  normalize(rows: Float32Array, out: Float32Array): Float32Array {
    this.#checkLength("normalize", "rows", rows.length);
    if (out.length !== rows.length) {
      throw new RangeError(
        `Cannot normalize: out must have length ${rows.length}, current value is ${out.length}`,
      );
    }
    const { clip } = this.#options;
    const { mean: means } = this.#statistics;
    for (let d = 0; d < this.size; d++) {
      const slot = this.#slots[d]!;
      const mean = means[slot]!;
      const scale = 1 / this.#std(slot);
      for (let i = d; i < rows.length; i += this.size) {
        out[i] = Math.min(Math.max((rows[i]! - mean) * scale, -clip), clip);
      }
    }
    return out;
  }

  /** Current mean of each dimension, new `[size]`. */
  means(): Float64Array {
    return Float64Array.from(this.#slots, (slot) => this.#statistics.mean[slot]!);
  }

  /** Divisor of each dimension, floors applied, new `[size]`. */
  stds(): Float64Array {
    return Float64Array.from(this.#slots, (slot) => this.#std(slot));
  }

  /** The statistics as plain data; numbers survive JSON unchanged. */
  toJSON(): NormalizerState {
    const { count, mean, m2, frozen } = this.#statistics;
    return { slots: [...this.#slots], count: [...count], mean: [...mean], m2: [...m2], frozen };
  }

  /**
   * A normaliser that continues exactly where `state` was taken.
   *
   * @throws {RangeError} When the parts of `state` do not fit together.
   */
  static fromJSON(state: NormalizerState, options: NormalizerOptions): RunningNormalizer {
    const { slots, count, mean, m2, frozen } = state;
    const normalizer = new RunningNormalizer(slots.length, options, Int32Array.from(slots));
    const statistics = normalizer.#statistics;
    const slotCount = statistics.count.length;
    for (const [name, values] of Object.entries({ count, mean, m2 })) {
      if (values.length !== slotCount) {
        throw new RangeError(
          `Cannot restore a normalizer: ${name} must have length ${slotCount}, current value is ` +
            values.length,
        );
      }
    }
    statistics.count.set(count);
    statistics.mean.set(mean);
    statistics.m2.set(m2);
    statistics.frozen = frozen;
    return normalizer;
  }

  #std(slot: number): number {
    const { epsilon, relativeStdFloor, minCount } = this.#options;
    const { count, mean, m2 } = this.#statistics;
    const n = count[slot]!;
    if (n === 0) return 1;
    const variance = m2[slot]! / Math.max(n - 1, 1);
    const floor = Math.max(Math.sqrt(epsilon), relativeStdFloor * Math.abs(mean[slot]!));
    const std = Math.max(Math.sqrt(variance), floor);
    return n < minCount ? Math.max(std, 1) : std;
  }

  #checkLength(action: string, name: string, length: number): void {
    if (length % this.size !== 0) {
      throw new RangeError(
        `Cannot ${action}: ${name} must have a length that is a multiple of ${this.size}, current ` +
          `value is ${length}`,
      );
    }
  }
}
