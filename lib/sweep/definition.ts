/**
 * What an experiment file declares.
 *
 * @module
 */
import { z } from "zod";
import {
  type Assignment,
  type ConfigPath,
  type ConfigValue,
  type ExperimentConfig,
  type ExperimentInput,
  type JsonValue,
  parseExperimentConfig,
  type PresetName,
} from "../config/mod.ts";
import { ConfigError, parseConfig } from "../support/mod.ts";
import { baselineNames } from "../training/mod.ts";
import { resolveVariants, type VariantAxis } from "./_variants.ts";

/** Values for dotted paths of the configuration. */
export type SweepOverrides = { readonly [P in ConfigPath]?: ConfigValue<P> };

/** Axes of a sweep: for each dotted path, the values to try. */
export type SweepGrid = { readonly [P in ConfigPath]?: readonly ConfigValue<P>[] };

/** What a label stands for: values for dotted paths, on top of another preset where one is named. */
export type SweepVariant = SweepOverrides & { readonly preset?: PresetName };

/** Labelled axes: for each name, the labels and what they stand for. */
export type SweepVariants = Readonly<Record<string, Readonly<Record<string, SweepVariant>>>>;

/** What an experiment file hands to {@linkcode defineSweep}. */
export interface SweepInput {
  /** Short name in snake case; also names the output folder. */
  readonly name: string;
  /** What is asked, in a sentence or two: opens the report. */
  readonly description: string;
  /** The experiment that every trial starts from; defaults are filled in. */
  readonly base: ExperimentInput;
  /** Axes: every combination of their values is one cell; none at all is one cell. */
  readonly grid: SweepGrid;
  /**
   * Axes whose values are labelled sets of settings, before those of the grid, e.g.
   * `{ network: { shared: {}, flat: { "policy.kind": "mlp" } } }`. The grid and `quick` win over them.
   */
  readonly variants?: SweepVariants;
  /** Training seeds: every cell is trained once for each. */
  readonly seeds: readonly number[];
  /** Names of the routers to compare with, evaluated on the same arrivals. */
  readonly baselines: readonly string[];
  /** The baseline that differences are taken to; `least_outstanding` by default. */
  readonly reference?: string;
  /** What `--quick` changes: a run that is small but real. */
  readonly quick?: {
    /** Configuration keys. */
    readonly set?: SweepOverrides;
    /** Training seeds. */
    readonly seeds?: readonly number[];
  };
}

/** One axis of a grid. */
export interface SweepAxis {
  /** Dotted path into the configuration. */
  readonly path: string;
  /** Values to try, in order. */
  readonly values: readonly JsonValue[];
}

/** A checked definition, plain data. */
export interface SweepDefinition {
  /** Short name in snake case. */
  readonly name: string;
  /** What is asked. */
  readonly description: string;
  /** The base experiment, every default filled in. */
  readonly base: ExperimentConfig;
  /** Axes, in the order in which they were written: the first varies slowest. */
  readonly axes: readonly SweepAxis[];
  /** Labelled axes, which vary slower than all others. */
  readonly variants: readonly VariantAxis[];
  /** Training seeds. */
  readonly seeds: readonly number[];
  /** Router names. */
  readonly baselines: readonly string[];
  /** The baseline that differences are taken to. */
  readonly reference: string;
  /** What `--quick` changes. */
  readonly quick: { readonly set: readonly Assignment[]; readonly seeds: readonly number[] };
}

const seedsSchema = z.array(z.int().min(0)).min(1).refine(
  (seeds) => new Set(seeds).size === seeds.length,
  "a list of distinct integers >= 0",
);

const definitionSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]*$/, "snake_case: a letter, then letters, digits and _"),
  description: z.string(),
  base: z.unknown(),
  grid: z.record(z.string(), z.array(z.json()).min(1)),
  variants: z.record(
    z.string(),
    z.record(z.string().min(1), z.record(z.string(), z.json())),
  ).default({}),
  seeds: seedsSchema,
  baselines: z.array(z.enum(baselineNames)).min(1),
  reference: z.string().default("least_outstanding"),
  quick: z.strictObject({
    set: z.record(z.string(), z.json()).default({}),
    seeds: seedsSchema.optional(),
  }).prefault({}),
});

/**
 * Declares a sweep: a base experiment, axes to vary, training seeds and baselines. Paths and values
 * are checked by the compiler where the file is TypeScript, and again here.
 *
 * @throws {ConfigError} For the first field that is not allowed.
 *
 * @example
 * ```ts
 * import { defineSweep, expandSweep } from "@signalbox/signalbox/sweep";
 * import assert from "node:assert/strict";
 *
 * const sweep = defineSweep({
 *   name: "clip_ratio",
 *   description: "Does a tighter clip help?",
 *   base: {},
 *   grid: { "ppo.clipRatio": [0.1, 0.2] },
 *   seeds: [1, 2],
 *   baselines: ["least_outstanding"],
 * });
 * assert.equal(expandSweep(sweep).trials.length, 1 + 2 * 2); // one baseline, two cells, two seeds
 * ```
 */
export function defineSweep(input: SweepInput): SweepDefinition {
  const checked = parseConfig(definitionSchema, input, "sweep");
  if (!checked.baselines.includes(checked.reference as typeof checked.baselines[number])) {
    throw new ConfigError(
      "sweep.reference",
      checked.reference,
      `one of ${checked.baselines.join(", ")}`,
    );
  }
  const base = parseExperimentConfig(checked.base);
  return {
    name: checked.name,
    description: checked.description,
    base,
    axes: Object.entries(checked.grid).map(([path, values]) => ({ path, values })),
    variants: resolveVariants(checked.variants, checked.base),
    seeds: checked.seeds,
    baselines: checked.baselines,
    reference: checked.reference,
    quick: {
      set: Object.entries(checked.quick.set).map(([path, value]) => ({ path, value })),
      seeds: checked.quick.seeds ?? checked.seeds.slice(0, 1),
    },
  };
}

/** Whether a value looks like what {@linkcode defineSweep} returns (an experiment file's default export). */
export function isSweepDefinition(value: unknown): value is SweepDefinition {
  return value !== null && typeof value === "object" &&
    ["name", "description", "base", "axes", "variants", "seeds", "baselines", "reference", "quick"]
      .every((key) => Object.hasOwn(value, key));
}
