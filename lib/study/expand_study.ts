/**
 * From a study to its trials.
 *
 * @module
 */
import {
  applyAssignments,
  type ExperimentConfig,
  type JsonValue,
  parseExperimentConfig,
} from "../config/mod.ts";
import { getScenario, scenarioSettings } from "../scenarios/mod.ts";
import { collectTrials, describeTrial, type ExpandedSweep, type Trial } from "../sweep/mod.ts";
import { UsageError } from "../support/mod.ts";
import type { Study, StudyCells, StudyPolicy } from "./definition.ts";

/** A scenario at a load, with everything that runs in it. */
export interface StudyCell {
  /** File name, e.g. `mixed_75`. */
  readonly name: string;
  /** Scenario. */
  readonly scenario: string;
  /** Percent of its capacity. */
  readonly load: number;
  /** Name in tables, e.g. `mixed 75 %`. */
  readonly title: string;
  /** Cluster, requests and evaluation. */
  readonly config: ExperimentConfig;
  /** Baselines first, then policies, their seeds in order; all evaluated on the same arrivals. */
  readonly trials: readonly Trial[];
}

/** What is left out of a run. */
export interface ExpandStudyOptions {
  /** The small version. */
  readonly quick?: boolean;
  /** Scenarios to keep; all when left out. */
  readonly only?: readonly string[];
}

/** A study as work to do. */
export interface ExpandedStudy {
  /** In the order of the study. */
  readonly cells: readonly StudyCell[];
  /** All trials of all cells. */
  readonly sweep: ExpandedSweep;
}

/**
 * Expands a study into cells and trials, in an order that depends on the study only. Precedence,
 * weakest first: base, scenario, the scenario's keys, the policy's keys, `quick`.
 *
 * @throws {ConfigError} When a scenario is unknown or a configuration is not allowed.
 * @throws {UsageError} When `only` names a scenario that the study does not have, or two trials are
 *   the same work.
 *
 * @example
 * ```ts
 * import { expandStudy, type Study } from "@signalbox/signalbox/study";
 * import assert from "node:assert/strict";
 *
 * const study: Study = {
 *   name: "two_loads",
 *   description: "Does it learn at both loads?",
 *   base: {},
 *   cells: { mixed: [50, 75] },
 *   policies: [{ label: "ppo", seeds: [1, 2, 3] }],
 *   baselines: ["random", "least_outstanding"],
 *   reference: "least_outstanding",
 *   targets: [],
 *   tradeOff: { scenario: "mixed", load: 75, policies: ["ppo"] },
 *   quick: { cells: { mixed: [75] }, seeds: [1], set: {}, without: [] },
 * };
 * const { cells, sweep } = expandStudy(study);
 * assert.deepEqual(cells.map(({ title }) => title), ["mixed 50 %", "mixed 75 %"]);
 * assert.equal(sweep.trials.length, 2 * (2 + 3));
 * ```
 */
export function expandStudy(study: Study, options: ExpandStudyOptions = {}): ExpandedStudy {
  const { quick = false, only } = options;
  const wanted = quick ? study.quick.cells : study.cells;
  refuseUnknown(only ?? [], Object.keys(wanted));
  const policies = quick
    ? study.policies.filter(({ label }) => !study.quick.without.includes(label))
    : study.policies;
  const drafts = cellsOf(wanted)
    .filter(({ scenario }) => only?.includes(scenario) ?? true)
    .map((place) => {
      const configOf = (set: StudyPolicy["set"] = {}): ExperimentConfig =>
        configure(study, place, set, quick);
      const own = policies.filter(({ cells = wanted }) =>
        quick || (cells[place.scenario] as readonly number[] | undefined)?.includes(place.load)
      );
      return {
        ...place,
        config: configOf(),
        trials: draftTrials(study, place, own, configOf, quick),
      };
    });
  const { name, description, reference } = study;
  const facts = { name, description, reference, axes: [] };
  const sweep = collectTrials(facts, drafts.flatMap(({ trials }) => trials));
  const byId = new Map(sweep.trials.map((trial) => [trial.id, trial]));
  const cells = drafts.map(({ trials, ...cell }): StudyCell => ({
    ...cell,
    trials: trials.map(({ id }) => byId.get(id)!),
  }));
  return { cells, sweep };
}

type Place = Pick<StudyCell, "name" | "scenario" | "load" | "title">;

function cellsOf(cells: StudyCells): Place[] {
  return Object.entries(cells).flatMap(([scenario, loads]) =>
    loads.map((load) => ({
      scenario,
      load,
      name: `${scenario}_${load}`,
      title: `${scenario} ${load} %`,
    }))
  );
}

function configure(
  study: Study,
  { scenario, load }: Place,
  set: StudyPolicy["set"],
  quick: boolean,
): ExperimentConfig {
  const settings = scenarioSettings(getScenario(scenario), load);
  const base = parseExperimentConfig({ ...study.base, ...settings });
  const keys = { ...study.scenarioSet?.[scenario], ...set, ...(quick ? study.quick.set : {}) };
  return applyAssignments(
    base,
    Object.entries(keys).map(([path, value]) => ({ path, value: value as JsonValue })),
  );
}

function draftTrials(
  study: Study,
  { scenario, load }: Place,
  policies: readonly StudyPolicy[],
  configOf: (set?: StudyPolicy["set"]) => ExperimentConfig,
  quick: boolean,
): Omit<Trial, "index">[] {
  const cell = { scenario, load };
  const config = configOf();
  return [
    ...study.baselines.map((policy) => describeTrial({ label: policy, policy, cell, config })),
    ...policies.flatMap(({ label, seeds, set }) =>
      (quick ? study.quick.seeds : seeds).map((seed) =>
        describeTrial({ label, policy: "ppo", cell, config: { ...configOf(set), seed } })
      )
    ),
  ];
}

function refuseUnknown(only: readonly string[], scenarios: readonly string[]): void {
  const unknown = only.find((name) => !scenarios.includes(name));
  if (unknown === undefined) return;
  throw new UsageError(
    `Cannot run the study: --only must be among ${
      scenarios.join(", ")
    }, current value is ${unknown}`,
  );
}
