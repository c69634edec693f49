/**
 * From a definition to the list of things to run.
 *
 * @module
 */
import {
  applyAssignments,
  type Assignment,
  type ExperimentConfig,
  hashConfig,
  type JsonValue,
} from "../config/mod.ts";
import { ConfigError, UsageError } from "../support/mod.ts";
import { isConfigPath, settingsOf } from "./_variants.ts";
import type { SweepAxis, SweepDefinition } from "./definition.ts";

/** One thing to run: train and evaluate a policy, or evaluate a baseline. */
export interface Trial {
  /** Content hash of what is run: equal work has equal ids, whatever sweep it is part of. */
  readonly id: string;
  /** Position in the sweep, from 0. */
  readonly index: number;
  /** What it is called in tables and charts; trials that differ in their seed only share it. */
  readonly label: string;
  /** `"ppo"` or the name of a router. */
  readonly policy: string;
  /** Training seed; `null` for baselines, which learn nothing. */
  readonly seed: number | null;
  /** Where on the axes it lies; for baselines, on those that change the scenario. */
  readonly cell: Readonly<Record<string, JsonValue>>;
  /** Hash of what decides the evaluation: cluster, workload, evaluation settings. */
  readonly scenario: string;
  /** The whole configuration, the seed included. */
  readonly config: ExperimentConfig;
}

/** Choices made for one run of a sweep. */
export interface ExpandOptions {
  /** Apply the definition's `quick` changes. */
  readonly quick?: boolean;
  /** Training seeds in place of the definition's. */
  readonly seeds?: readonly number[];
  /** Keys to set in every trial; an assignment to an axis reduces it to that value. */
  readonly set?: readonly Assignment[];
}

/** The trials of a run. */
export interface ExpandedSweep {
  /** Name, see {@linkcode SweepDefinition}. */
  readonly name: string;
  /** What is asked. */
  readonly description: string;
  /** The baseline that differences are taken to. */
  readonly reference: string;
  /** Axes after `set`. */
  readonly axes: readonly SweepAxis[];
  /** Trials in order: baselines first, then cells (first axis slowest), seeds within a cell. */
  readonly trials: readonly Trial[];
  /** Content hash of all of it: two runs with the same hash do the same work. */
  readonly hash: string;
}

/**
 * Expands a definition into trials, in an order that depends on the definition only. Precedence,
 * weakest first: base, labelled axes, `quick`, axes, `set`.
 *
 * @throws {ConfigError} When an axis or an assignment makes a configuration that is not allowed.
 * @throws {UsageError} When two trials come out equal.
 */
export function expandSweep(
  definition: SweepDefinition,
  options: ExpandOptions = {},
): ExpandedSweep {
  const { quick = false, set = [] } = options;
  const seeds = options.seeds ?? (quick ? definition.quick.seeds : definition.seeds);
  const { base, variants } = definition;
  const labelled = variants.map(({ name, choices }): SweepAxis => ({
    path: name,
    values: choices.map(({ label }) => label),
  }));
  const axes = [...labelled, ...definition.axes].map(({ path, values }) => {
    const fixed = set.findLast((assignment) => assignment.path === path);
    return { path, values: fixed === undefined ? values : [fixed.value] };
  });
  const cells = combinations(axes);
  const isLabelled = ({ path }: Assignment): boolean => variants.some(({ name }) => name === path);
  const configs = cells.map((cell) => {
    const assignments = [
      ...cell.filter(isLabelled).flatMap((part) => settingsOf(part, variants)),
      ...(quick ? definition.quick.set : []),
      ...[...cell, ...set].filter((part) => !isLabelled(part)),
    ];
    refuseSeed(assignments);
    return applyAssignments(base, assignments);
  });

  const drafts: Omit<Trial, "index">[] = [];
  const decidesScenario = (part: Assignment): boolean =>
    variants.find(({ name }) => name === part.path)?.choices
      .some((choice) => choice.set.some(isOfScenario)) ?? isOfScenario(part);
  const scenarios = distinctScenarios(cells, configs, decidesScenario);
  for (const { config, cell } of scenarios) {
    for (const policy of definition.baselines) {
      drafts.push(trialOf(policy, scenarios.length > 1 ? cell : [], config));
    }
  }
  for (const [row, config] of configs.entries()) {
    for (const seed of seeds) drafts.push(trialOf("ppo", cells[row]!, { ...config, seed }));
  }
  const { name, description, reference } = definition;
  return collectTrials({ name, description, reference, axes }, drafts);
}

/**
 * The run that consists of these trials.
 *
 * @throws {UsageError} When two of them are the same work.
 */
export function collectTrials(
  facts: Pick<ExpandedSweep, "name" | "description" | "reference" | "axes">,
  drafts: readonly Omit<Trial, "index">[],
): ExpandedSweep {
  const trials = drafts.map((draft, index): Trial => ({ ...draft, index }));
  refuseDuplicates(trials);
  const { name, reference } = facts;
  const hash = hashConfig({
    name,
    reference,
    trials: trials.map(({ id, label, cell }) => ({ id, label, cell })),
  });
  return { ...facts, trials, hash };
}

/** Every trial has its own seed, which would hide this one. */
function refuseSeed(assignments: readonly Assignment[]): void {
  const seed = assignments.find(({ path }) => path === "seed");
  if (seed === undefined) return;
  throw new ConfigError("seed", seed.value, "left out (training seeds are a list: seeds, --seeds)");
}

const SCENARIO_SECTIONS: ReadonlySet<string> = new Set([
  "cluster",
  "workload",
  "incidents",
  "evaluation",
]);

function isOfScenario({ path }: Assignment): boolean {
  return SCENARIO_SECTIONS.has(path.split(".")[0]!);
}

/** Hash of the parts of a configuration that decide which arrivals a policy is evaluated on, and where. */
function scenarioHash(
  { cluster, workload, incidents, evaluation }: ExperimentConfig,
): string {
  return hashConfig({ cluster, workload, incidents, evaluation });
}

/** What decides a trial; everything else about it follows. */
export type TrialInput = Pick<Trial, "label" | "policy" | "cell" | "config">;

/**
 * Completes a trial with its seed (learned policies only), the hash of its scenario and its id.
 */
export function describeTrial(input: TrialInput): Omit<Trial, "index"> {
  const { policy, config } = input;
  const scenario = scenarioHash(config);
  return policy === "ppo"
    ? { ...input, id: hashConfig({ policy, config }), seed: config.seed, scenario }
    : { ...input, id: hashConfig({ policy, scenario }), seed: null, scenario };
}

function trialOf(
  policy: string,
  cell: readonly Assignment[],
  config: ExperimentConfig,
): Omit<Trial, "index"> {
  const label = [policy, ...cellTexts(cell)].join(" ");
  return describeTrial({ label, policy, cell: asRecord(cell), config });
}

/** `mode=delta`: the last key of a path, or the whole path where two axes end alike; a bare label. */
function cellTexts(cell: readonly Assignment[]): string[] {
  const lastKey = (path: string): string => path.slice(path.lastIndexOf(".") + 1);
  return cell.map(({ path, value }) => {
    const ambiguous = cell.filter((other) => lastKey(other.path) === lastKey(path)).length > 1;
    const text = typeof value === "string" ? value : JSON.stringify(value);
    if (!isConfigPath(path)) return text;
    return `${ambiguous ? path : lastKey(path)}=${text}`;
  });
}

/** Cartesian product of the axes, the first one slowest. */
function combinations(axes: readonly SweepAxis[]): Assignment[][] {
  let cells: Assignment[][] = [[]];
  for (const { path, values } of axes) {
    cells = cells.flatMap((cell) => values.map((value) => [...cell, { path, value }]));
  }
  return cells;
}

/** One configuration for each distinct scenario, with the part of its cell that makes it distinct. */
function distinctScenarios(
  cells: readonly (readonly Assignment[])[],
  configs: readonly ExperimentConfig[],
  decidesScenario: (part: Assignment) => boolean,
): { cell: readonly Assignment[]; config: ExperimentConfig }[] {
  const byHash = new Map<string, { cell: readonly Assignment[]; config: ExperimentConfig }>();
  for (const [row, config] of configs.entries()) {
    const hash = scenarioHash(config);
    if (byHash.has(hash)) continue;
    byHash.set(hash, { cell: cells[row]!.filter(decidesScenario), config });
  }
  return [...byHash.values()];
}

function asRecord(cell: readonly Assignment[]): Record<string, JsonValue> {
  return Object.fromEntries(cell.map(({ path, value }) => [path, value]));
}

function refuseDuplicates(trials: readonly Trial[]): void {
  const seen = new Map<string, Trial>();
  for (const trial of trials) {
    const twin = seen.get(trial.id);
    if (twin !== undefined) {
      throw new UsageError(
        `Cannot expand the sweep: trials ${twin.index} (${twin.label}) and ${trial.index} (${trial.label}) are the same work`,
      );
    }
    seen.set(trial.id, trial);
  }
}
