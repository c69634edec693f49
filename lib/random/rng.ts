/**
 * The one source of randomness: a seeded generator that is passed in, never global.
 *
 * @module
 */
import { xoroshiro128plus, xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

/** The four 32-bit words of a generator and, if one is held, the spare normal draw. */
export type RngState = readonly number[];

/** 2^-53: spacing of the doubles that {@linkcode Rng.uniform} returns. */
const DOUBLE_UNIT = 1.1102230246251565e-16;

/**
 * Seeded pseudo-random generator (xoroshiro128+, from `pure-rand`) with the draws that the project
 * needs and named sub-streams, so that one subsystem's draws never move another's.
 *
 * @example Same seed, same numbers; streams are independent of each other
 * ```ts
 * import { Rng } from "@signalbox/signalbox/random";
 * import assert from "node:assert/strict";
 *
 * const a = new Rng(7);
 * const b = new Rng(7);
 * b.stream("lengths").uniform(); // does not move b
 * assert.equal(a.uniform(), b.uniform());
 * ```
 */
export class Rng {
  readonly #seed: number;
  #generator: ReturnType<typeof xoroshiro128plus>;
  #spareNormal: number | undefined;

  /**
   * A generator at the beginning of its sequence.
   *
   * @param seed Integer; equal seeds give equal sequences.
   * @throws {RangeError} When the seed is not a safe integer.
   */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) {
      throw new RangeError(
        `Cannot create a generator: seed must be a safe integer, current value is ${seed}`,
      );
    }
    this.#seed = seed;
    this.#generator = xoroshiro128plus(mix(seed));
  }

  /** The seed this generator was created from. */
  get seed(): number {
    return this.#seed;
  }

  /**
   * A new generator for a named subsystem. It depends on this generator's seed and the name only,
   * not on how many numbers were drawn.
   */
  stream(name: string): Rng {
    return new Rng(hashName(name, this.#seed));
  }

  /** Uniform 32-bit signed integer. */
  nextInt32(): number {
    return this.#generator.next();
  }

  /** Uniform double in [0, 1) with 53 random bits. */
  uniform(): number {
    const high = this.#generator.next() >>> 5;
    const low = this.#generator.next() >>> 6;
    return (high * 67108864 + low) * DOUBLE_UNIT;
  }

  /**
   * Uniform integer in [0, bound), without modulo bias.
   *
   * @throws {RangeError} When the bound is not an integer in [1, 2^32].
   */
  below(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 4294967296) {
      throw new RangeError(
        `Cannot draw an integer: bound must be an integer in [1, 2^32], current value is ${bound}`,
      );
    }
    const limit = 4294967296 - (4294967296 % bound);
    let word = this.#generator.next() >>> 0;
    while (word >= limit) word = this.#generator.next() >>> 0;
    return word % bound;
  }

  /** Standard normal draw (Marsaglia's polar method). */
  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal;
      this.#spareNormal = undefined;
      return spare;
    }
    let u = 0;
    let v = 0;
    let s = 0;
    do {
      u = 2 * this.uniform() - 1;
      v = 2 * this.uniform() - 1;
      s = u * u + v * v;
    } while (s >= 1 || s === 0);
    const scale = Math.sqrt((-2 * Math.log(s)) / s);
    this.#spareNormal = v * scale;
    return u * scale;
  }

  /** Exponential draw with the given rate (mean 1 / rate). */
  exponential(rate: number): number {
    return -Math.log1p(-this.uniform()) / rate;
  }

  /**
   * Gamma draw. Source: Marsaglia and Tsang, "A simple method for generating gamma variables",
   * ACM TOMS 26 (2000); shape < 1 by the power boost of its section 6.
   */
  gamma(shape: number, scale: number): number {
    if (!(shape > 0) || !(scale > 0)) {
      throw new RangeError(
        `Cannot draw from a gamma distribution: shape and scale must be > 0, current values are ${shape}, ${scale}`,
      );
    }
    if (shape < 1) {
      return this.gamma(shape + 1, scale) * Math.pow(1 - this.uniform(), 1 / shape);
    }
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    while (true) {
      const x = this.normal();
      const t = 1 + c * x;
      if (t <= 0) continue;
      const v = t * t * t;
      const u = 1 - this.uniform();
      if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v * scale;
    }
  }

  /** Shuffles the array in place (Fisher-Yates) and returns it. */
  shuffle<T extends { length: number; [index: number]: number }>(values: T): T {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const held = values[i]!;
      values[i] = values[j]!;
      values[j] = held;
    }
    return values;
  }

  /** The generator's state, to be restored by {@linkcode Rng.restore}. */
  getState(): RngState {
    const words = this.#generator.getState();
    return this.#spareNormal === undefined ? words : [...words, this.#spareNormal];
  }

  /** A generator that continues exactly where `state` was taken. */
  static restore(seed: number, state: RngState): Rng {
    const rng = new Rng(seed);
    rng.#generator = xoroshiro128plusFromState(state.slice(0, 4));
    rng.#spareNormal = state[4];
    return rng;
  }
}

/** FNV-1a over the name, keyed by the seed. */
function hashName(name: string, seed: number): number {
  let hash = mix(seed) ^ 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  }
  return mix(hash >>> 0) >>> 0;
}

/** Finaliser of MurmurHash3 over both halves of a safe integer: near seeds give far states. */
function mix(seed: number): number {
  let h = (seed | 0) ^ Math.imul(Math.floor(seed / 4294967296) | 0, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
