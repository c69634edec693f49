/** Policies by name on a command line. */
import { routerNames } from "../routing/mod.ts";
import { UsageError } from "../support/mod.ts";
import { heuristicEntry, type RouterEntry, type Scenario } from "../training/mod.ts";

/**
 * The entry of `NAME`, a router.
 *
 * @throws {UsageError} When there is no such router.
 */
export function findPolicy(scenario: Scenario, name: string): RouterEntry {
  if (!(routerNames as readonly string[]).includes(name)) {
    throw new UsageError(
      `Cannot find the policy: it must be one of ${routerNames.join(", ")}, current value is ${
        JSON.stringify(name)
      }`,
    );
  }
  return heuristicEntry(scenario, name);
}
