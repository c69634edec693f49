// deno-lint-ignore-file no-console
/**
 * `deno task config`: prints the effective configuration, the schema of all keys, or where the
 * presets differ.
 *
 * @module
 */
import { Command } from "commander";
import { comparePresets, experimentJsonSchema, presetNames } from "../config/mod.ts";
import { UsageError } from "../support/mod.ts";
import { givenOptions, parseArguments } from "./_arguments.ts";
import {
  addExperimentOptions,
  type ExperimentOptions,
  loadExperiment,
} from "./_experiment_options.ts";
import { runCommand } from "./_run_command.ts";

interface ConfigOptions extends ExperimentOptions {
  readonly schema?: true;
  readonly presets?: true;
}

const program = addExperimentOptions(new Command("config"))
  .description("Prints an experiment's effective configuration: preset, file, --set")
  .option("--schema", "print the JSON schema of all keys, with defaults and sources, instead")
  .option("--presets", "print the keys in which the presets differ, as a Markdown table, instead");

await runCommand(async (args) => {
  const options = parseArguments(program, args).opts<ConfigOptions>();
  const given = givenOptions(program).map(({ long }) => long);
  if ((options.schema || options.presets) && given.length > 1) {
    throw new UsageError(
      `Cannot print the schema or the presets: nothing else must be given, current options are ${
        given.join(", ")
      }`,
    );
  }
  if (options.presets) return console.log(presetTable());
  const shown = options.schema ? experimentJsonSchema() : await loadExperiment(options);
  console.log(JSON.stringify(shown, null, 2));
});

/** One row a key; values without a source are the schema's defaults. */
function presetTable(): string {
  const rows = comparePresets().map(({ path, values, sources }) => [
    `\`${path}\``,
    ...presetNames.map((name) => values[name] === undefined ? "" : JSON.stringify(values[name])),
    ...presetNames.map((name) => sources[name] ?? ""),
  ]);
  const head = ["key", ...presetNames, ...presetNames.map((name) => `source of ${name}`)];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
