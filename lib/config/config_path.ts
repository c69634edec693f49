/**
 * Dotted paths into a configuration, as types: a misspelt axis of a sweep does not compile.
 *
 * @module
 */
import type { ExperimentConfig } from "./experiment_schema.ts";

type Shallower = [never, 0, 1, 2, 3];

/** Dotted paths of a record type, through at most four levels. */
type PathOf<T, Depth extends 0 | 1 | 2 | 3 | 4> = T extends readonly unknown[] ? never
  : T extends object ? {
      [K in keyof T & string]:
        | K
        | (Depth extends 0 ? never : `${K}.${PathOf<NonNullable<T[K]>, Shallower[Depth]>}`);
    }[keyof T & string]
  : never;

type ValueOf<T, P extends string> = T extends object
  ? P extends `${infer Key}.${infer Rest}`
    ? Key extends keyof T ? ValueOf<NonNullable<T[Key]>, Rest> : never
  : P extends keyof T ? T[P]
  : never
  : never;

/** A dotted path into {@linkcode ExperimentConfig}, e.g. `"reward.mode"`. */
export type ConfigPath = PathOf<ExperimentConfig, 3>;

/** Type of the value at a path. */
export type ConfigValue<P extends string> = ValueOf<ExperimentConfig, P>;
