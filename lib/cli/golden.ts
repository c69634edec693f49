// deno-lint-ignore-file no-console
/**
 * `deno task golden DIR...`: replays recorded runs of Vidur and compares them bit by bit.
 *
 * @module
 */
import { Command } from "commander";
import { CsvError } from "csv-parse/sync";
import { join } from "node:path";
import { UsageError } from "../support/mod.ts";
import { type GoldenCase, readGoldenCase, type TableCache } from "./_golden_case.ts";
import { replayGoldenCase } from "./_golden_replay.ts";
import { parseArguments } from "./_arguments.ts";
import { runCommand } from "./_run_command.ts";

/** Exit code when a replay differs from its recording. */
const EXIT_DIFFERENT = 1;

const command = new Command("deno task golden")
  .description(
    "Replays golden cases of Vidur, prints one line of JSON per case and exits with 1 when a " +
      "timestamp differs by more than 1e-9 s or anything else differs at all.",
  )
  .argument("<folder...>", "case folders; folders without case.json are passed over");

async function replayAll(folders: readonly string[]): Promise<void> {
  const cases = folders.filter(isCase);
  for (const folder of folders) {
    if (!cases.includes(folder)) console.error(`passed over: ${folder} has no case.json`);
  }
  if (cases.length === 0) throw new UsageError("Cannot replay: no folder has a case.json");
  const tables: TableCache = new Map();
  for (const folder of cases) {
    const report = replayGoldenCase(await readCase(folder, tables));
    console.log(JSON.stringify(report));
    if (!report.passed) Deno.exitCode = EXIT_DIFFERENT;
  }
}

/** Reads a case; what is missing or no JSON or CSV is refused in one line. */
async function readCase(folder: string, tables: TableCache): Promise<GoldenCase> {
  try {
    return await readGoldenCase(folder, tables);
  } catch (error) {
    const isUnreadable = error instanceof Deno.errors.NotFound || error instanceof SyntaxError ||
      error instanceof CsvError;
    if (isUnreadable) throw new UsageError(`Cannot replay ${folder}: ${error.message}`);
    throw error;
  }
}

/** Whether a folder, which must exist, is a golden case. */
function isCase(folder: string): boolean {
  if (!exists(folder)) throw new UsageError(`Cannot replay: there is no folder ${folder}`);
  return exists(join(folder, "case.json"));
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

if (import.meta.main) {
  await runCommand((args) => replayAll(parseArguments(command, args).args));
}
