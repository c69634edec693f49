/**
 * Named clusters with their traffic, incidents and capacity: where policies are compared.
 *
 * @module
 */
export {
  type ScenarioCapacity,
  type ScenarioDefinition,
  type ScenarioLoad,
  scenarioLoads,
  scenarioSchema,
} from "./scenario_schema.ts";
export {
  DEFAULT_LOAD,
  getScenario,
  scenarioNames,
  type ScenarioSettings,
  scenarioSettings,
  type ScenarioTask,
  scenarioTask,
} from "./scenarios.ts";
export { sizeScenarioNames } from "./size_scenarios.ts";
