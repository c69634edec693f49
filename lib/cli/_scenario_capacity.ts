// deno-lint-ignore-file no-console
/** The capacity of the scenarios that come with the project. */
import Table from "cli-table3";
import type { Command } from "commander";
import stringify from "json-stringify-pretty-compact";
import { fileURLToPath } from "node:url";
import { measureScenarioCapacity, withCapacity } from "../capacity/mod.ts";
import { getScenario, scenarioNames, sizeScenarioNames } from "../scenarios/mod.ts";
import { UsageError, writeFileAtomic } from "../support/mod.ts";
import { givenOptions } from "./_arguments.ts";

/** In place of a name: every scenario. */
const ALL = "all";

/**
 * Measures one scenario, or all, by what its file says, and prints the rates.
 *
 * @param program Options given: a scenario is measured as stated, so others are refused.
 * @param write Whether to store the rates in `data/scenarios`.
 * @throws {UsageError} When other options are given.
 */
export async function measureScenarios(
  program: Command,
  scenario: string,
  write: boolean,
): Promise<void> {
  const other = givenOptions(program)
    .find((option) => !["scenario", "write"].includes(option.attributeName()));
  if (other !== undefined) {
    throw new UsageError(
      `Cannot measure a scenario: its file says how, ${other.long} must be left out (state the ` +
        "cluster with --config for a measurement of your own)",
    );
  }
  const names = scenario === ALL ? scenarioNames : [scenario];
  const definitions = names.map(getScenario);
  const table = new Table({
    head: ["scenario", "requests/s", "stored", "p99 delay there", "probes"],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "right", "right", "right", "right"],
  });
  for (const definition of definitions) {
    const search = await measureScenarioCapacity(definition);
    const found = withCapacity(definition, search);
    const at = search.probes.findLast((probe) => probe.ratePerSecond === search.ratePerSecond);
    table.push([
      definition.name,
      found.capacity.ratePerSecond,
      definition.capacity.ratePerSecond,
      at === undefined ? "none" : `${at.value.toFixed(2)} s`,
      search.probes.length,
    ]);
    if (write) await store(definition.name, found.capacity.ratePerSecond);
  }
  console.log(table.toString());
  if (write) console.log(`Written to data/scenarios: ${names.join(", ")}`);
}

/** Changes the rate and nothing else: the file holds no defaults. */
async function store(name: string, ratePerSecond: number): Promise<void> {
  const folder = sizeScenarioNames.includes(name) ? "scenarios/sizes" : "scenarios";
  const file = fileURLToPath(new URL(`../../data/${folder}/${name}.json`, import.meta.url));
  const content = JSON.parse(await Deno.readTextFile(file));
  content.capacity.ratePerSecond = ratePerSecond;
  await writeFileAtomic(file, `${stringify(content, { maxLength: 100 })}\n`);
}
