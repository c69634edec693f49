/**
 * `deno task profile`: profiles of how long a batch takes: which there are, how good they are, and
 * how to make one.
 *
 * Every sub-command lives in a file `_profile_<name>.ts` that adds it to the program.
 *
 * @module
 */
import { Command } from "commander";
import { runSubcommand } from "./_arguments.ts";
import { addCalibrateCommand } from "./_profile_calibrate.ts";
import { addCheckCommand } from "./_profile_check.ts";
import { addFitCommand } from "./_profile_fit.ts";
import { addGpusCommand } from "./_profile_gpus.ts";
import { addListCommands } from "./_profile_list.ts";
import { runCommand } from "./_run_command.ts";

const program = new Command("profile").description(
  "How long a batch takes: shipped profiles, their errors, and making one's own",
);
addListCommands(program);
addFitCommand(program);
addCheckCommand(program);
addGpusCommand(program);
addCalibrateCommand(program);

await runCommand((args) => runSubcommand(program, args));
