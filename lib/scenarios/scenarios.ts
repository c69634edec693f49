/**
 * The scenarios that come with the project.
 *
 * @module
 */
import bursty from "../../data/scenarios/bursty.json" with { type: "json" };
import homogeneous from "../../data/scenarios/homogeneous.json" with { type: "json" };
import longContext from "../../data/scenarios/long_context.json" with { type: "json" };
import mixed from "../../data/scenarios/mixed.json" with { type: "json" };
import slowdown from "../../data/scenarios/slowdown.json" with { type: "json" };
import twoSpeed from "../../data/scenarios/two_speed.json" with { type: "json" };
import type { ClusterConfig, IncidentPlan } from "../simulator/mod.ts";
import { ConfigError, parseConfig } from "../support/mod.ts";
import type { FittedWorkloadConfig } from "../workload/mod.ts";
import {
  type ScenarioDefinition,
  type ScenarioLoad,
  scenarioLoads,
  scenarioSchema,
} from "./scenario_schema.ts";
import { SIZE_FILES } from "./size_scenarios.ts";

const SCENARIO_FILES = [homogeneous, mixed, twoSpeed, slowdown, bursty, longContext];

const FILES: ReadonlyMap<string, unknown> = new Map(
  [...SCENARIO_FILES, ...SIZE_FILES].map((file) => [file.name, file]),
);

/** Names of the scenarios, one file each in `data/scenarios`. */
export const scenarioNames: readonly string[] = SCENARIO_FILES.map(({ name }) => name);

/**
 * Looks up a scenario, or a cluster by size ({@linkcode sizeScenarioNames}).
 *
 * @throws {ConfigError} When there is none of that name; the message lists those there are.
 *
 * @example
 * ```ts
 * import { getScenario } from "@signalbox/signalbox/scenarios";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(getScenario("mixed").cluster.replicas.map(({ gpu }) => gpu), [
 *   "h100",
 *   "a100",
 *   "a40",
 * ]);
 * assert.throws(() => getScenario("mix"), /one of homogeneous, mixed, two_speed, /);
 * ```
 */
export function getScenario(name: string): ScenarioDefinition {
  if (!FILES.has(name)) {
    throw new ConfigError("scenario", name, `one of ${[...FILES.keys()].join(", ")}`);
  }
  return parseConfig<ScenarioDefinition>(scenarioSchema, FILES.get(name), `data/scenarios/${name}`);
}

/** The parts of an experiment that a scenario decides. */
export interface ScenarioSettings {
  /** The cluster. */
  readonly cluster: ClusterConfig;
  /** The requests, at the rate of the load. */
  readonly workload: FittedWorkloadConfig & { readonly ratePerSecond: number };
  /** What happens to replicas. */
  readonly incidents: IncidentPlan;
}

/**
 * A scenario at a share of its capacity, as parts of an experiment.
 *
 * @param load Percent of the capacity, one of {@linkcode scenarioLoads}.
 * @throws {ConfigError} When the load is another.
 *
 * @example
 * ```ts
 * import { parseExperimentConfig } from "@signalbox/signalbox/config";
 * import { getScenario, scenarioSettings } from "@signalbox/signalbox/scenarios";
 * import assert from "node:assert/strict";
 *
 * const scenario = getScenario("two_speed");
 * const { cluster, workload } = parseExperimentConfig(scenarioSettings(scenario, 50));
 * assert.equal(cluster.replicas.length, 2);
 * assert.ok(workload.kind === "fitted");
 * assert.ok(Math.abs(workload.ratePerSecond! / scenario.capacity.ratePerSecond - 0.5) < 0.01);
 * ```
 */
export function scenarioSettings(
  { cluster, workload, incidents, capacity }: ScenarioDefinition,
  load: number,
): ScenarioSettings {
  if (!(scenarioLoads as readonly number[]).includes(load)) {
    throw new ConfigError("load", load, `one of ${scenarioLoads.join(", ")}`);
  }
  const ratePerSecond = Number((capacity.ratePerSecond * load / 100).toPrecision(3));
  return { cluster, workload: { ...workload, ratePerSecond }, incidents };
}

/** A scenario as one of the tasks that training is dealt over (`training.mixture`). */
export interface ScenarioTask {
  /** The cluster. */
  readonly cluster: ClusterConfig;
  /** The requests, at the rate of the capacity. */
  readonly workload: FittedWorkloadConfig & { readonly ratePerSecond: number };
  /** What happens to replicas. */
  readonly incidents: IncidentPlan;
  /** Range that the load of an episode is drawn from, as a share of the capacity. */
  readonly rateScale: [low: number, high: number];
}

/**
 * A scenario between two loads, as an entry of `training.mixture`.
 *
 * @param lowLoad Percent of the capacity, > 0.
 * @param highLoad Percent of the capacity, at least `lowLoad`.
 *
 * @example
 * ```ts
 * import { parseExperimentConfig } from "@signalbox/signalbox/config";
 * import { getScenario, scenarioTask } from "@signalbox/signalbox/scenarios";
 * import assert from "node:assert/strict";
 *
 * const mixture = ["mixed", "seen_8"].map((name) => scenarioTask(getScenario(name), 50, 90));
 * const { training } = parseExperimentConfig({ training: { mixture } });
 * assert.deepEqual(training.mixture[1]!.rateScale, [0.5, 0.9]);
 * ```
 */
export function scenarioTask(
  { cluster, workload, incidents, capacity }: ScenarioDefinition,
  lowLoad: number,
  highLoad: number,
): ScenarioTask {
  return {
    cluster,
    workload: { ...workload, ratePerSecond: capacity.ratePerSecond },
    incidents,
    rateScale: [lowLoad / 100, highLoad / 100],
  };
}

/** The load that stands where none is given: busy, not overloaded. */
export const DEFAULT_LOAD: ScenarioLoad = 75;
