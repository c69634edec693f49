// deno-lint-ignore-file no-console
/**
 * `deno task config`: prints the effective configuration, or the schema of all keys.
 *
 * @module
 */
import { Command } from "commander";
import { z } from "zod";
import { experimentSchema } from "../config/mod.ts";
import { parseArguments } from "./_arguments.ts";
import {
  addExperimentOptions,
  type ExperimentOptions,
  loadExperiment,
} from "./_experiment_options.ts";
import { runCommand } from "./_run_command.ts";

const program = addExperimentOptions(new Command("config"))
  .description("Prints an experiment's effective configuration: defaults, file, --set")
  .option("--schema", "print the JSON schema of all keys, with defaults and sources, instead");

await runCommand(async (args) => {
  const options = parseArguments(program, args).opts<ExperimentOptions & { schema?: true }>();
  const shown = options.schema
    ? z.toJSONSchema(experimentSchema, { io: "input" })
    : await loadExperiment(options);
  console.log(JSON.stringify(shown, null, 2));
});
