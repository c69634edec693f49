/** Several scenarios to train on, as typed. */
import type { Assignment } from "../config/mod.ts";
import { DEFAULT_LOAD, getScenario, scenarioTask } from "../scenarios/mod.ts";
import { UsageError } from "../support/mod.ts";

/** A scenario, and where its loads do not default, a percentage or a range of them. */
const ENTRY = /^([^@]+)(?:@(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?)?$/;

/**
 * Reads `mixed@50-90,two_speed@75`: the key that deals a training run's simulations over these
 * scenarios, at loads in percent of their capacities.
 *
 * @throws {UsageError} When the list cannot be read.
 * @throws {ConfigError} When there is no such scenario.
 */
export function mixtureAssignment(list: string): Assignment {
  const value = list.split(",").map((text) => {
    const [, name, lowText, highText] = ENTRY.exec(text) ?? [];
    const low = lowText === undefined ? DEFAULT_LOAD : Number(lowText);
    const high = highText === undefined ? low : Number(highText);
    if (name === undefined || !(low > 0 && low <= high)) {
      throw new UsageError(
        "Cannot read --mixture: it must be scenarios separated by commas, each with a load or a " +
          `range of loads in percent, such as mixed@50-90,two_speed@75, current value is ${
            JSON.stringify(text)
          }`,
      );
    }
    return scenarioTask(getScenario(name), low, high);
  });
  return { path: "training.mixture", value: JSON.parse(JSON.stringify(value)) };
}
